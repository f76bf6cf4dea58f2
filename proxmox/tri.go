package proxmox

// Tri is a value that may be unknown. Unknown is never shown as yes or as no.
type Tri int

// The values of a Tri.
const (
	Unknown Tri = iota
	Yes
	No
)

// TriOf is Yes for true.
func TriOf(b bool) Tri {
	if b {
		return Yes
	}
	return No
}

// Not is Yes for No, No for Yes, and Unknown for Unknown.
func (t Tri) Not() Tri {
	switch t {
	case Yes:
		return No
	case No:
		return Yes
	}
	return Unknown
}

// String is "yes", "no" or "unknown".
func (t Tri) String() string {
	switch t {
	case Yes:
		return "yes"
	case No:
		return "no"
	}
	return "unknown"
}
