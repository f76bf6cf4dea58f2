package corosync

// Map is a cmap: keys and typed values, as corosync-cmapctl prints them.
type Map map[string]Value

// Value is one cmap value with its type.
type Value struct {
	Type string // u8, u16, u32, u64, i8..i64, flt, dbl, str, any (binary)
	Text string // as corosync-cmapctl prints it
}
