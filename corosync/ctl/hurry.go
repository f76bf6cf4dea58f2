package ctl

import "time"

// hurryLinks and hurrySRP are the least times between two readings that Hurry asks for: knet judges its links every 200 ms, and
// Totem renews its counters every 1.5 s (exec/main.c, corosync_totem_stats_updater). The links of a large cluster, whose reading takes the daemon's loop
// for a while, are read less often: at most a hurryShare of the time is spent on it.
const (
	hurryLinks = 250 * time.Millisecond
	hurrySRP   = 1500 * time.Millisecond
	hurryShare = 10
)

// Hurry asks for a fresh reading of links, votes and counters at once, because something outside the daemon saw trouble. It may
// be called as often as one likes: it never blocks, and the daemon is not asked more often than it has news.
func (f *Follower) Hurry() {
	select {
	case f.hurry <- struct{}{}:
	default:
	}
}

// hurried makes due what Hurry is about.
func (l *loop) hurried(now time.Time) {
	if !l.running() {
		return
	}
	links := &l.jobs[jobLinks]
	apart := max(hurryLinks, hurryShare*links.read.Sub(links.started)) // the last one's time, if it succeeded
	if now.Sub(links.started) >= apart && !links.running {
		l.jobs.want(jobLinks, now)
		l.jobs.want(jobQuorum, now)
	}
	if now.Sub(l.jobs[jobSRP].started) >= hurrySRP && !l.jobs[jobSRP].running {
		l.jobs.want(jobSRP, now)
	}
}
