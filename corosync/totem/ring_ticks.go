package totem

// tickQueue holds the heartbeats to come, in order. Each processor has one, and all come after about the same time: what is filed is nearly
// always the last.
type tickQueue struct {
	events []event
	first  int // the events before it have been taken
}

func (q *tickQueue) empty() bool { return q.first == len(q.events) }

func (q *tickQueue) peek() *event { return &q.events[q.first] }

func (q *tickQueue) pop() event {
	q.first++
	return q.events[q.first-1]
}

func (q *tickQueue) push(e event) {
	if q.first > 0 && len(q.events) == cap(q.events) {
		q.events = q.events[:copy(q.events, q.events[q.first:])]
		q.first = 0
	}
	s := append(q.events, e)
	i := len(s) - 1
	for ; i > q.first && e.before(&s[i-1]); i-- {
		s[i] = s[i-1]
	}
	s[i] = e
	q.events = s
}
