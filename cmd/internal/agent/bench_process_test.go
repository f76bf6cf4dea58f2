//go:build linux

package agent_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// clockTick is the unit of /proc/PID/stat (USER_HZ, 100 on every Linux that Go runs on).
const clockTick = 10 * time.Millisecond

// usage is what some processes used in a stretch of time, and what the whole machine did.
type usage struct {
	elapsed      time.Duration
	user, system time.Duration
	rss, peak    int // KiB at the end
	wakeUps      int // times that a thread that had waited went on
	busy         float64
	load         string
}

// observe lets a time pass and tells what the processes used in it.
func observe(d time.Duration, pids ...int) usage {
	begin := time.Now()
	user, system := processorTime(pids)
	slept := waits(pids)
	busy, all := machineTime()
	time.Sleep(d)
	u := usage{elapsed: time.Since(begin)}
	u.user, u.system = processorTime(pids)
	u.user, u.system = u.user-user, u.system-system
	u.wakeUps = waits(pids) - slept
	endBusy, endAll := machineTime()
	u.busy = float64(endBusy-busy) / float64(max(endAll-all, 1))
	for _, pid := range pids {
		u.rss += statusFigure(procFile(pid, "status"), "VmRSS")
		u.peak += statusFigure(procFile(pid, "status"), "VmHWM")
	}
	load, _ := os.ReadFile("/proc/loadavg")
	u.load, _, _ = strings.Cut(string(load), " ")
	return u
}

// report reports the usage, as a share of one core and for each probe that was sent or answered.
func (u *usage) report(b *testing.B, probes uint64) {
	cpu := u.user + u.system
	b.ReportMetric(100*cpu.Seconds()/u.elapsed.Seconds(), "cpu-%")
	b.ReportMetric(100*u.user.Seconds()/u.elapsed.Seconds(), "user-%")
	b.ReportMetric(float64(cpu.Nanoseconds())/1e3/float64(max(probes, 1)), "cpu-us/probe")
	b.ReportMetric(float64(u.wakeUps)/u.elapsed.Seconds(), "wakeups/s")
	b.ReportMetric(float64(u.rss)/1024, "rss-MiB")
	b.ReportMetric(float64(u.peak)/1024, "peak-MiB")
	b.ReportMetric(100*u.busy, "machine-%")
	b.ReportMetric(0, "ns/op") // a run takes as long as it is told
	b.Logf("load average %s, machine busy %.0f %%", u.load, 100*u.busy)
}

// processorTime is the time that processes have used so far, children that they waited for not included.
func processorTime(pids []int) (user, system time.Duration) {
	for _, pid := range pids {
		stat, err := os.ReadFile(procFile(pid, "stat"))
		if err != nil {
			continue
		}
		// After the name in parentheses, which may hold anything, field 3 of proc_pid_stat(5) comes first.
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		user += ticks(fields[14-3])
		system += ticks(fields[15-3])
	}
	return user, system
}

func ticks(field []byte) time.Duration {
	n, _ := strconv.ParseInt(string(field), 10, 64)
	return time.Duration(n) * clockTick
}

// machineTime is for how long the processors were busy, and were there, so far.
func machineTime() (busy, all time.Duration) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	for i, field := range bytes.Fields(line) {
		if i == 0 || i > 8 { // "cpu"; guests are counted in user
			continue
		}
		all += ticks(field)
		if i != 4 && i != 5 { // idle, iowait
			busy += ticks(field)
		}
	}
	return busy, all
}

// waits is how often the threads of processes gave up the processor of their own accord.
func waits(pids []int) (sum int) {
	for _, pid := range pids {
		threads, _ := filepath.Glob(procFile(pid, "task/*/status"))
		for _, file := range threads {
			sum += statusFigure(file, "voluntary_ctxt_switches")
		}
	}
	return sum
}

func procFile(pid int, name string) string { return "/proc/" + strconv.Itoa(pid) + "/" + name }

// statusFigure is one figure of /proc/PID/status, sizes in KiB.
func statusFigure(file, key string) int {
	status, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, key+":"); ok {
			n, _ := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
			return n
		}
	}
	return 0
}
