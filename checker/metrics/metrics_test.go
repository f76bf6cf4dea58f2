package metrics_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/quorumwatch/quorumwatch/checker"
	"github.com/quorumwatch/quorumwatch/checker/metrics"
)

var update = flag.Bool("update", false, "write the golden files anew")

func load(t *testing.T, file string) *checker.Report {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r checker.Report
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	return &r
}

// registry is pedantic: it refuses what a scrape by Prometheus would.
func registry(r *checker.Report) *prometheus.Registry {
	reg := prometheus.NewPedanticRegistry()
	reg.MustRegister(metrics.New(func() *checker.Report { return r }))
	return reg
}

// TestGolden keeps the exposition of each of the Reports that package checker keeps, and lints it.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("../testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal("no reports", err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		t.Run(name, func(t *testing.T) {
			reg := registry(load(t, file))
			problems, err := testutil.GatherAndLint(reg)
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range problems {
				t.Errorf("%s: %s", p.Metric, p.Text)
			}
			golden := filepath.Join("testdata", name+".prom")
			if *update {
				write(t, reg, golden)
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if err := testutil.GatherAndCompare(reg, bytes.NewReader(want)); err != nil {
				t.Error(err)
			}
		})
	}
}

func write(t *testing.T, reg *prometheus.Registry, file string) {
	if err := prometheus.WriteToTextfile(file, reg); err != nil {
		t.Fatal(err)
	}
}

// TestUnknownIsAbsent: nothing is said of what is not known.
func TestUnknownIsAbsent(t *testing.T) {
	reg := registry(load(t, "../testdata/unknown.json"))
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		switch f.GetName() {
		case "quorumwatch_quorate", "quorumwatch_votes", "quorumwatch_corosync_up", "quorumwatch_path_up", "quorumwatch_path_gap_seconds",
			"quorumwatch_node_member", "quorumwatch_node_reachable", "quorumwatch_margin_ratio", "ha_cluster_corosync_quorate", "ha_cluster_corosync_rings":
			t.Errorf("%s has a value", f.GetName())
		}
	}
}

// TestCompatible: the five families that boards for ha_cluster_exporter read, with their labels.
func TestCompatible(t *testing.T) {
	want := `
# HELP ha_cluster_corosync_quorate Whether or not the cluster is quorate
# TYPE ha_cluster_corosync_quorate gauge
ha_cluster_corosync_quorate 1
# HELP ha_cluster_corosync_quorum_votes Cluster quorum votes; one line per type
# TYPE ha_cluster_corosync_quorum_votes gauge
ha_cluster_corosync_quorum_votes{type="expected_votes"} 5
ha_cluster_corosync_quorum_votes{type="highest_expected"} 5
ha_cluster_corosync_quorum_votes{type="quorum"} 3
ha_cluster_corosync_quorum_votes{type="total_votes"} 5
# HELP ha_cluster_corosync_ring_errors The total number of faulty corosync rings
# TYPE ha_cluster_corosync_ring_errors gauge
ha_cluster_corosync_ring_errors 1
# HELP ha_cluster_corosync_rings The status of each Corosync ring; 1 means healthy, 0 means faulty.
# TYPE ha_cluster_corosync_rings gauge
ha_cluster_corosync_rings{address="10.0.0.1",node_id="1",number="0",ring_id="1.9"} 0
ha_cluster_corosync_rings{address="10.1.0.1",node_id="1",number="1",ring_id="1.9"} 1
`
	err := testutil.GatherAndCompare(registry(load(t, "../testdata/link-down.json")), strings.NewReader(want),
		"ha_cluster_corosync_quorate", "ha_cluster_corosync_quorum_votes", "ha_cluster_corosync_rings", "ha_cluster_corosync_ring_errors")
	if err != nil {
		t.Error(err)
	}
}

// TestNone: before the first Report a scrape is empty, not an error.
func TestNone(t *testing.T) {
	if families, err := registry(nil).Gather(); err != nil || len(families) != 0 {
		t.Errorf("%d families, %v", len(families), err)
	}
}

// TestOddNames: two nodes of one name, and a name that is not UTF-8, do not fail the scrape.
func TestOddNames(t *testing.T) {
	r := load(t, "../testdata/cut.json")
	for i := range r.Cluster.Nodes {
		r.Cluster.Nodes[i].Name = "same"
	}
	for i := range r.Paths {
		r.Paths[i].Peer.Name = "same"
	}
	r.Software = "\xff"
	if _, err := registry(r).Gather(); err != nil {
		t.Error(err)
	}
}

// TestCutWithoutOutcome: a cut of which no change of membership follows is a cut; one that is only clearing is none.
func TestCutWithoutOutcome(t *testing.T) {
	r := load(t, "../testdata/cut.json")
	r.Outcome = nil
	for _, tt := range []struct {
		clearing bool
		want     string
	}{{false, "1"}, {true, "0"}} {
		for i := range r.Findings {
			r.Findings[i].Clearing = tt.clearing
		}
		want := "# HELP quorumwatch_cut Whether a finding peer-cut, group-cut, site-cut or isolated holds; the others of this family are absent while " +
			"no change of membership follows from it.\n# TYPE quorumwatch_cut gauge\nquorumwatch_cut " + tt.want + "\n"
		if err := testutil.GatherAndCompare(registry(r), strings.NewReader(want), "quorumwatch_cut"); err != nil {
			t.Error(err)
		}
	}
}
