package advice

import (
	"testing"
	"time"
)

// BenchmarkAdvise is the cost of advice for an hour's record of a lossy link.
func BenchmarkAdvise(b *testing.B) {
	for name, w := range map[string]world{
		"5nodes":  {sites: []int{3, 2}, links: 1, totem: proxmoxNow, length: time.Hour, loss: []float64{0.05}},
		"32nodes": {sites: []int{16, 16}, links: 1, totem: proxmoxNow, length: 15 * time.Minute, loss: []float64{0.02}},
	} {
		in := Input{Name: "corosync.conf", Conf: w.conf(), Trace: w.record(), Seed: 1}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				a, err := Advise(in)
				if err != nil || a.Verdict != Change {
					b.Fatalf("%v %v", err, a)
				}
				b.Logf("%s %v", a.Proposed.Name, a.Evidence.Model)
			}
		})
	}
}
