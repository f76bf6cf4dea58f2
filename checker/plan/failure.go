package plan

import (
	"encoding/json"
	"strconv"
)

// Kind is what fails.
type Kind string

// The kinds. A cut is a failure of everything that joins a place to the rest, while its nodes live.
const (
	Node     Kind = "node"      // a node without power
	NodeCut  Kind = "node-cut"  // a node that lives without any network
	SiteDown Kind = "site"      // all nodes of a site, and the quorum device's server if it stands there
	SiteCut  Kind = "site-cut"  // a site that lives without a way out, to the quorum device neither
	Link     Kind = "link"      // one knet link between all nodes: its switch
	Path     Kind = "path"      // two sites that don't reach each other on any link
	PathLink Kind = "path-link" // the same on one of several links
	QDevice  Kind = "qdevice"   // the quorum device's server, or the way to it
)

// kinds is their order in lists.
func kinds() []Kind {
	return []Kind{SiteDown, SiteCut, Path, Link, Node, NodeCut, QDevice, PathLink}
}

// Failure is one thing that fails.
type Failure struct {
	Kind        Kind
	Node        string // of a Node, NodeCut
	Site, Other string // of a SiteDown, SiteCut; both of a Path, PathLink
	Link        int    // of a Link, PathLink: knet's number
}

// String names it for people.
func (f Failure) String() string {
	link := strconv.Itoa(f.Link)
	switch f.Kind {
	case Node:
		return "node " + f.Node
	case NodeCut:
		return "node " + f.Node + " cut off"
	case SiteDown:
		return "site " + f.Site
	case SiteCut:
		return "site " + f.Site + " cut off"
	case Link:
		return "link " + link
	case Path:
		return "path " + f.Site + "-" + f.Other
	case PathLink:
		return "path " + f.Site + "-" + f.Other + " on link " + link
	}
	return "qdevice"
}

// MarshalJSON leaves out what the kind has not.
func (f Failure) MarshalJSON() ([]byte, error) {
	out := struct {
		Kind  Kind     `json:"kind"`
		Node  string   `json:"node,omitempty"`
		Sites []string `json:"sites,omitempty"`
		Link  *int     `json:"link,omitempty"`
	}{Kind: f.Kind, Node: f.Node}
	if f.Site != "" {
		out.Sites = append(out.Sites, f.Site)
	}
	if f.Other != "" {
		out.Sites = append(out.Sites, f.Other)
	}
	if f.Kind == Link || f.Kind == PathLink {
		out.Link = &f.Link
	}
	return json.Marshal(out)
}

// failures lists everything that can fail in d, one by one.
func (d *Design) failures() []Failure {
	var out []Failure
	sites := d.sites()
	device := d.Cluster.Quorum.Device != nil
	if len(sites) > 1 {
		for _, s := range sites {
			out = append(out, Failure{Kind: SiteDown, Site: s})
		}
		if len(sites) > 2 || device { // of two sites without a device, to cut off one is to cut the path
			for _, s := range sites {
				out = append(out, Failure{Kind: SiteCut, Site: s})
			}
		}
	}
	eachPair(sites, func(a, b string) { out = append(out, Failure{Kind: Path, Site: a, Other: b}) })
	for _, l := range d.Cluster.Links {
		out = append(out, Failure{Kind: Link, Link: l.Number})
	}
	for _, n := range d.Cluster.Nodes {
		out = append(out, Failure{Kind: Node, Node: n.Name, Site: n.Site})
	}
	for _, n := range d.Cluster.Nodes {
		out = append(out, Failure{Kind: NodeCut, Node: n.Name, Site: n.Site})
	}
	if device {
		out = append(out, Failure{Kind: QDevice})
	}
	if len(d.Cluster.Links) > 1 {
		for _, l := range d.Cluster.Links {
			eachPair(sites, func(a, b string) { out = append(out, Failure{Kind: PathLink, Site: a, Other: b, Link: l.Number}) })
		}
	}
	return out
}

func eachPair(sites []string, f func(a, b string)) {
	for i, a := range sites {
		for _, b := range sites[i+1:] {
			f(a, b)
		}
	}
}

// pairs says whether two failures make a case of their own together. A node that is cut off is not joined with others: one
// without power stands for it.
func pairs(f, g Failure) bool {
	if f.Kind == NodeCut || g.Kind == NodeCut {
		return false
	}
	return !covers(f, g) && !covers(g, f)
}

// covers says whether g adds nothing to f.
func covers(f, g Failure) bool {
	switch f.Kind {
	case SiteDown:
		return g.Site == f.Site || g.Other == f.Site
	case SiteCut:
		return g.Kind == SiteDown && g.Site == f.Site || (g.Kind == Path || g.Kind == PathLink) && (g.Site == f.Site || g.Other == f.Site)
	case Path:
		return g.Kind == PathLink && g.Site == f.Site && g.Other == f.Other
	case Link:
		return g.Kind == PathLink && g.Link == f.Link
	}
	return false
}
