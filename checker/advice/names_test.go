package advice

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/quorumwatch/quorumwatch/corosync"
	"github.com/quorumwatch/quorumwatch/probe/trace"
)

// TestOtherNames: a file with other names for the nodes of the record gives the same advice, with a remark first; what happened is told with the names of the
// record, and sites are those of the nodeids. Nodes that the record does not have are no question.
func TestOtherNames(t *testing.T) {
	w := world{sites: []int{2, 1}, links: 1, totem: proxmoxNow, length: 12 * time.Minute, loss: []float64{0}, burst: every(10*time.Minute, 40*time.Second)}
	tr := w.record()
	advise := func(conf string, tr *trace.Trace) (Advice, error) {
		return Advise(Input{Name: "corosync.conf", Conf: []byte(conf), Trace: tr, Seed: 1})
	}
	own, err := advise(string(w.conf()), tr)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.ReplaceAll(string(w.conf()), "name: n", "name: pve")
	a, err := advise(other, tr)
	if err != nil {
		t.Fatal(err)
	}
	if a.Remarks[0].About != OtherNames || !strings.Contains(a.Remarks[0].Text, "pve1 is n1 there, pve2 is n2 there, pve3 is n3 there") {
		t.Errorf("%+v", a.Remarks)
	}
	if slices.ContainsFunc(own.Remarks, func(r Remark) bool { return r.About == OtherNames }) {
		t.Errorf("its own file: %+v", own.Remarks)
	}
	outage := func(r Remark) bool { return r.About == "outages" }
	if i := slices.IndexFunc(a.Remarks, outage); i < 0 || !strings.Contains(a.Remarks[i].Text, "from n1 to n3") || strings.Contains(a.Remarks[i].Text, "pve") {
		t.Errorf("outages: %+v", a.Remarks)
	}
	a.Remarks = a.Remarks[1:]
	if d := cmp.Diff(own, a); d != "" {
		t.Errorf("the names decide:\n%s", d)
	}
	conf, err := corosync.Parse("corosync.conf", strings.NewReader(other))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Input{Trace: tr}.clusterOf(conf)
	if err != nil || c.Nodes[0].Site != "a" || c.Nodes[2].Site != "b" {
		t.Errorf("sites: %v %+v", err, c.Nodes)
	}
	if a, err := advise(strings.Replace(other, "nodeid: 3", "nodeid: 33", 1), tr); !errors.Is(err, ErrOtherNodes) || !strings.Contains(err.Error(), "pve3 (nodeid 33)") {
		t.Errorf("%v %v", err, a)
	}
	tr.Nodes = nil // a record of a measurement without agents
	if a, err := advise(other, tr); err != nil || slices.ContainsFunc(a.Remarks, func(r Remark) bool { return r.About == OtherNames }) {
		t.Errorf("%v %v", err, a)
	}
	short := w
	short.length = time.Minute
	if a, err := advise(other, short.record()); err != nil || a.Verdict != NotEnough || len(a.Remarks) != 1 {
		t.Errorf("too little: %v %v", err, a)
	}
}
