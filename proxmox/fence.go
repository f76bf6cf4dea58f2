package proxmox

import (
	"fmt"
	"time"
)

// Times of pve-ha-manager. An armed node's LRM renews its agent lock and feeds watchdog-mux together, once at the start of each
// round; what it writes of itself comes at the end of the round's work. watchdog-mux counts whole seconds, strictly greater,
// once a second, so all that follows the last renewal has a second or two of play.
const (
	lrmRound     = 10 * time.Second  // HA/LRM.pm work: $max_time
	lrmWork      = 9 * time.Second   // run_workers starts nothing after 8 s
	lockOverdue  = 20 * time.Second  // a round, and what overlong work may add
	muxWarns     = 50 * time.Second  // watchdog-mux.c CLIENT_WATCHDOG_TIMEOUT_WARNING
	muxExpires   = 60 * time.Second  // CLIENT_WATCHDOG_TIMEOUT
	muxPlay      = 2 * time.Second   // whole seconds, a look every second
	deviceResets = 10 * time.Second  // watchdog_timeout, from the last keepalive, which came up to a second before the expiry
	lockLife     = 120 * time.Second // pmxcfs memdb.c: the lock of a node that no longer renews it
	crmRounds    = 20 * time.Second  // the manager acts within one or two rounds of 10 s
)

// maxMembership bounds the time from a cut to the loss of quorum where it is not known: token, consensus and sync of 24 nodes with
// Corosync's own token_coefficient.
const maxMembership = 40 * time.Second

// FenceInput is what is known of one node's watchdog. All times are on one clock; the node's own, best.
type FenceInput struct {
	Node     string
	Now      time.Time
	Quorate  Tri      // whether that node has quorum
	LRM      LRM      // what its LRM last wrote
	Watchdog Tri      // somebody holds its watchdog-mux: known on the node itself only
	Mux      Tri      // watchdog-mux listens: known on the node itself only
	HA       HAState  // of the cluster
	Master   bool     // its CRM was manager when that was last written
	Log      FenceLog // what its log told
	Cut      Span     // when it was cut off, as far as probes or anybody saw it
	Lost     Span     // when it lost quorum, as far as anybody saw it
	// Membership is how long after a cut quorum is lost: token + consensus + sync. Zero: not known.
	Membership time.Duration
}

// Fence is one node's countdown. It is made anew from facts each time, and remembers nothing.
type Fence struct {
	Node     string
	Armed    Tri    // it resets itself if its quorum is lost for about a minute
	Counting Tri    // its watchdog is not being renewed now
	Why      string // for both, one line
	Renewed  Span   // the last renewal, from which everything counts
	From     string // what Renewed rests on: "lock", "log", "lrm_status", "cut", "quorum"; "" if unknown
	NoReturn Span   // watchdog-mux gives up for good; quorum must be back, and the LRM have renewed, before
	Reset    Span   // the node resets
	Recovery Span   // its services start elsewhere, if others have quorum
	Expired  bool   // watchdog-mux has given up: its log says so, or it is gone
}

// FenceOf says whether a node is armed, whether its countdown runs, and how far it is. NoReturn, Reset and Recovery are those
// of the last renewal: while the node is quorate they move on with each.
func FenceOf(in FenceInput) Fence {
	f := Fence{Node: in.Node}
	if in.Quorate == Unknown && in.saidLost() {
		in.Quorate = No
	}
	f.Armed, f.Why = in.armed()
	f.Renewed, f.From = in.renewed()
	f.NoReturn = f.Renewed.plus(muxExpires, muxExpires+muxPlay/2, muxExpires+muxPlay)
	f.Reset = f.NoReturn.plus(deviceResets-time.Second, deviceResets-time.Second, deviceResets)
	f.Recovery = f.Renewed.plus(lockLife, lockLife+crmRounds/2, lockLife+crmRounds)
	if at := in.Log.expired(); !at.IsZero() {
		f.Expired = true
		f.NoReturn = Span{at, at, at}
		f.Reset = f.NoReturn.plus(deviceResets-2*time.Second, deviceResets-time.Second, deviceResets)
		f.Counting, f.Why = Yes, "watchdog-mux has stopped feeding the watchdog"
		return f
	}
	if in.Watchdog == Yes && in.Mux == No {
		f.muxGone(in.Now)
		return f
	}
	f.count(in)
	return f
}

// muxGone: watchdog-mux gives up by ending. It takes its socket away and leaves the mark that somebody held the watchdog, and nobody
// starts it again (watchdog-mux.c, watchdog-mux.service). The same is left where the watchdog then failed to reset the node, so only
// a countdown that is due counts for sure.
func (f *Fence) muxGone(now time.Time) {
	f.Expired, f.Counting, f.Why = true, Unknown, "watchdog-mux has ended while somebody held the watchdog"
	due := f.NoReturn.Known() && !now.Before(f.NoReturn.Earliest) && !now.After(f.Reset.Latest.Add(time.Second))
	if due {
		f.Counting = Yes
		f.NoReturn = f.NoReturn.within(Span{f.NoReturn.Earliest, now, now})
		return
	}
	f.NoReturn = Span{}
	f.Reset = around(now, 0, deviceResets)
}

// CutAt says what the countdown would be if the node were cut off from its quorum at an instant, now or later: in particular
// whether it is armed, and the Reset that would follow.
func (in FenceInput) CutAt(at time.Time) Fence {
	if later := at.Sub(in.Now); later > 0 { // the LRM goes on renewing until then
		in.LRM.Lock, in.LRM.Stamp = time.Time{}, time.Time{}
	}
	in.Now, in.Quorate, in.Log = at, No, FenceLog{}
	in.Cut, in.Lost = Span{at, at, at}, Span{}
	return FenceOf(in)
}

// armed tells whether the node's LRM holds its watchdog.
func (in *FenceInput) armed() (Tri, string) {
	holds := in.LRM.HoldsWatchdog()
	switch {
	case in.Watchdog == No:
		return No, "nobody holds its watchdog"
	case holds != Yes && in.saidHeld():
		return Yes, "its log says that its LRM holds the watchdog, and cannot renew its lock"
	case holds == No && in.LRM.Mode == "disarm":
		return No, "HA is disarmed"
	case holds == No && in.Watchdog == Yes && !in.Master:
		return Unknown, "somebody holds its watchdog, though its LRM was idle when it last wrote"
	case holds == No && in.Watchdog == Yes:
		return No, "only its CRM holds the watchdog, and lets go with the manager's lock"
	case holds == No:
		return No, "its LRM is " + idleWord(in.LRM)
	case holds == Unknown && in.Watchdog == Yes && !in.Master:
		return Yes, "somebody holds its watchdog"
	case holds == Unknown && in.LRM.Node == "" && in.HA == HAStandby:
		return No, "it has never used HA"
	case holds == Unknown:
		return Unknown, "nothing is known of its LRM"
	}
	age, alive := Age(in.Now, in.LRM.Stamp)
	if in.Watchdog == Unknown && in.Quorate == Yes && alive != Yes {
		return Unknown, fmt.Sprintf("its LRM has quorum and has written nothing for %s", age.Round(time.Second))
	}
	return Yes, "its LRM holds the watchdog"
}

func idleWord(l LRM) string {
	if l.State == "maintenance" {
		return "in maintenance, without services"
	}
	return "idle"
}

// count decides whether the countdown runs.
func (f *Fence) count(in FenceInput) {
	overdue := in.Now.Sub(f.Renewed.Latest)
	// A lock seen from elsewhere is only as fresh as the quorum of whoever saw it.
	late := f.From == "lock" && overdue > lockOverdue && (in.Quorate == Yes || in.Watchdog == Yes)
	switch {
	case f.Armed == No:
		f.Counting = No
	case f.Renewed.Known() && in.Quorate != Yes && in.Now.After(f.Reset.Latest.Add(deviceResets)):
		f.over(in)
	case late && in.Quorate != No:
		f.Counting = f.Armed
		f.Why += fmt.Sprintf("; its lock has not been renewed for %s", overdue.Round(time.Second))
	case in.Quorate == Yes && f.From == "lrm_status" && in.Now.Sub(in.LRM.Stamp) > staleStamp:
		f.Counting = Unknown
	case in.Quorate == Yes:
		f.Counting = No
	case in.Quorate == No:
		f.Counting = f.Armed
		f.Why += "; it has no quorum"
	}
}

// over: by its last known renewal the node must have reset. From elsewhere that cannot be told from a node that is off, nor, by one
// that cannot see it, from one that has gone on with a quorum of its own; on the node itself something is wrong with what is known.
func (f *Fence) over(in FenceInput) {
	switch {
	case in.Watchdog == Yes:
		f.Counting = Unknown
		f.Why += "; going by its last known renewal it should have reset"
	case in.Quorate == Unknown:
		f.Counting = Unknown
		f.Why = "nothing is known of it any more"
	default:
		f.Counting = No
		f.Why += "; its time has run out: it has reset, or is off"
	}
}

// renewed finds the last renewal: the surest evidence first, narrowed by the rest.
func (in *FenceInput) renewed() (Span, string) {
	var best Span
	from := ""
	for _, e := range []struct {
		span Span
		from string
	}{
		{in.fromLock(), "lock"}, {in.fromWarning(), "log"}, {in.fromStatus(), "lrm_status"}, {in.fromLostLock(), "log"},
		{in.fromCut(), "cut"}, {in.fromQuorum(), "quorum"},
	} {
		if from == "" && e.span.Known() {
			from = e.from
		}
		best = best.within(e.span)
	}
	if best.Known() {
		best = best.within(Span{best.Earliest, in.Now, in.Now})
	}
	return best, from
}

// fromLock: the LRM sets the lock's time to its own second, then feeds the watchdog (HA/Env/PVE2.pm get_pve_lock).
func (in *FenceInput) fromLock() Span {
	if in.LRM.Lock.IsZero() {
		return Span{}
	}
	return Span{in.LRM.Lock, in.LRM.Lock.Add(time.Second / 2), in.LRM.Lock.Add(time.Second)}
}

// fromWarning: "about to expire" comes 51 s after the last renewal, give or take one.
func (in *FenceInput) fromWarning() Span {
	at := in.Log.Warned
	if in.past(at) {
		return Span{}
	}
	if at.IsZero() && !in.Log.Expired.IsZero() {
		at = in.Log.Expired.Add(muxWarns - muxExpires)
	}
	if at.IsZero() {
		return Span{}
	}
	likely := at.Add(-muxWarns - muxPlay/2)
	return around(likely, muxPlay/2, muxPlay/2)
}

// fromStatus: the status was written after the round's work, mostly at once. The next round's renewal may still have succeeded
// when its status could no longer be written.
func (in *FenceInput) fromStatus() Span {
	if in.LRM.Stamp.IsZero() || in.LRM.HoldsWatchdog() == No {
		return Span{}
	}
	return around(in.LRM.Stamp, lrmWork, lrmRound+time.Second)
}

// fromLostLock: the first renewal that failed was due a round after the last that did not, and took as long as the write to
// pmxcfs hung.
func (in *FenceInput) fromLostLock() Span {
	if in.Log.LostLock.IsZero() || in.past(in.Log.LostLock) {
		return Span{}
	}
	due := in.Log.LostLock.Add(-lrmRound)
	return Span{due.Add(-in.mute()), due.Add(-in.Membership / 2), due.Add(time.Second)}
}

// fromCut: nothing is renewed after the cut, and the last renewal was less than a round before.
func (in *FenceInput) fromCut() Span {
	return in.Cut.whole().plus(-lrmRound-time.Second, -lrmRound/2, 0)
}

// fromQuorum: the last renewal is up to a round older than the cut, and the cut up to Membership older than the loss of quorum; a
// Corosync that is stopped in order leaves at once.
func (in *FenceInput) fromQuorum() Span {
	lost := in.Lost.whole()
	if !in.past(in.Log.LostQuorum) {
		lost = lost.within(in.Log.lostQuorum())
	}
	if !lost.Known() {
		return Span{}
	}
	return lost.plus(-in.mute()-lrmRound, -in.Membership-lrmRound/2, 0)
}

// saidHeld: the LRM said that it lost its lock, or watchdog-mux that it starves, and nothing since that this is over. An LRM without its
// lock keeps its watchdog (HA/LRM.pm lost_agent_lock).
func (in *FenceInput) saidHeld() bool {
	held := func(at time.Time) bool { return !at.IsZero() && !in.past(at) }
	return held(in.Log.LostLock) || held(in.Log.Warned)
}

// saidLost: by its log the node does not renew its lock, whyever.
func (in *FenceInput) saidLost() bool {
	return in.saidHeld() || !in.Log.LostQuorum.IsZero() && !in.past(in.Log.LostQuorum)
}

// past tells whether what the log said is over: the LRM writes and renews with quorum only, and has done so since.
func (in *FenceInput) past(said time.Time) bool {
	return !said.IsZero() && (in.LRM.Stamp.After(said) || in.LRM.Lock.After(said))
}

func (in *FenceInput) mute() time.Duration {
	if in.Membership > 0 {
		return in.Membership + 2*time.Second // the sync's length varies
	}
	return maxMembership
}
