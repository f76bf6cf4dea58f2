package risk

import (
	"slices"
	"time"
)

// Word is what a node's knet said of its link to another node at a moment.
type Word struct {
	From, To  uint32 // From says it
	Link      int
	Connected bool
	For       time.Duration // for how long it has been so; 0: not told
	Counted   bool          // Downs is told
	Downs     uint64        // how often the link has gone down since the daemon started
	At        time.Time
}

// wordHole is how far apart two words may be for what lies between them to be known: a link that goes down is told at once if
// Corosync's log is read, else within two seconds.
const wordHole = 3 * time.Second

// change is a link that went down or came up, as its own end told it.
type change struct {
	at             time.Duration // in the trace's time
	from, to, link int           // by the model's numbers
	up             bool
}

// words are what all ends of all links said, as far as the rings that follow them still need it.
type words struct {
	nodes []uint32
	links []int
	ends  []end    // [(from*nodes+to)*links+link]
	news  []change // not yet taken, oldest first
}

// end is what one end of a link said.
type end struct {
	told        bool
	since, last time.Duration // known without a hole from since to last
	turned      time.Duration // when it last changed, as far as is known
	connected   bool
	counted     bool // downs is told
	downs       uint64
	early       bool    // connected told of a going down that downs has not counted yet
	spans       [4]span // newest times of being down
	n           int     // how many there ever were
}

// span is a time in which a link was down; to is endless while it lasts.
type span struct{ from, to time.Duration }

const endless = 1<<63 - 1

func newWords(nodes []uint32, links []int) words {
	return words{nodes: nodes, links: links, ends: make([]end, len(nodes)*len(nodes)*len(links))}
}

// end gives one end of a link, by the model's numbers.
func (w *words) end(from, to, link int) *end {
	return &w.ends[(from*len(w.nodes)+to)*len(w.links)+link]
}

// hear takes a word of an instant of the trace. What is not about the ring's nodes and links is nothing to it, nor what was said before the trace.
func (w *words) hear(word *Word, at time.Duration) {
	from, to, link := slices.Index(w.nodes, word.From), slices.Index(w.nodes, word.To), slices.Index(w.links, word.Link)
	if from < 0 || to < 0 || link < 0 || at < 0 {
		return
	}
	e := w.end(from, to, link)
	if e.told && at <= e.last {
		return
	}
	down, up := e.hear(word, at)
	if down > 0 {
		w.add(change{down, from, to, link, false})
	}
	if up > 0 {
		w.add(change{up, from, to, link, true})
	}
}

// add puts a change in its place.
func (w *words) add(c change) {
	i := len(w.news)
	for i > 0 && w.news[i-1].at > c.at {
		i--
	}
	w.news = slices.Insert(w.news, i, c)
}

// flapAtLeast is how long a link that came up again between two words was down, if nobody says: a heartbeat.
const flapAtLeast = 200 * time.Millisecond

// hear notes a word and tells when the link went down and came up since the last one: as the word says, or in the middle between the
// two. Zero: it did not.
func (e *end) hear(word *Word, at time.Duration) (down, up time.Duration) {
	if !e.told || at-e.last > wordHole {
		*e = end{told: true, since: at, last: at, turned: at, connected: word.Connected, counted: word.Counted, downs: word.Downs}
		if !word.Connected {
			e.open(at)
		}
		return 0, 0
	}
	turn, told := e.turn(word, at)
	counted := word.Counted && e.counted && word.Downs > e.downs
	switch {
	case e.connected && !word.Connected:
		down, e.early = turn, !counted
	case !e.connected && word.Connected:
		up = turn
	case e.connected && counted && !e.early, e.connected && word.Connected && told: // down and up again
		down, up, e.early = max(turn-flapAtLeast, e.turned+1), turn, !counted
	}
	if counted && down == 0 {
		e.early = false
	}
	e.note(down, up)
	e.last, e.connected, e.counted, e.downs = at, word.Connected, word.Counted, word.Downs
	return down, up
}

// turn is when the link last changed, if it did since the last word; told: the word itself says that it did, and when.
func (e *end) turn(word *Word, at time.Duration) (turn time.Duration, told bool) {
	const same = 50 * time.Millisecond // the same instant, told twice, over paths of different lengths
	if t := at - word.For; word.For > 0 && t > e.turned+same {
		return t, true
	}
	return max((e.last+at+1)/2, e.turned+1), false // never zero
}

// note keeps when the link was down.
func (e *end) note(down, up time.Duration) {
	if down > 0 {
		e.open(down)
	}
	if up > 0 {
		e.spans[(e.n-1)%len(e.spans)].to = up
	}
	e.turned = max(e.turned, down, up)
}

func (e *end) open(at time.Duration) {
	e.spans[e.n%len(e.spans)] = span{at, endless}
	e.n++
}

// state is how the link was at an instant; not known: nobody said anything around it.
func (e *end) state(at time.Duration) (up, known bool) {
	if !e.told || at < e.since || at > e.last {
		return false, false
	}
	for i := max(0, e.n-len(e.spans)); i < e.n; i++ {
		if s := &e.spans[i%len(e.spans)]; s.from <= at && at < s.to {
			return false, true
		}
	}
	return true, true
}

// down are the ends of links that are known to be down at an instant.
func (w *words) down(at time.Duration) []change {
	var out []change
	for from := range w.nodes {
		for to := range w.nodes {
			for link := range w.links {
				if up, known := w.end(from, to, link).state(at); known && !up {
					out = append(out, change{at: at, from: from, to: to, link: link})
				}
			}
		}
	}
	return out
}

// take gives the changes up to an instant, once.
func (w *words) take(until time.Duration) []change {
	n := 0
	for n < len(w.news) && w.news[n].at <= until {
		n++
	}
	taken := w.news[:n]
	w.news = w.news[n:]
	return taken
}
