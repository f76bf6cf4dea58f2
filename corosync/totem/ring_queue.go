package totem

// queueSize is how many messages a sort queue spans. Corosync's spans 16384 (QUEUE_RTR_ITEMS_SIZE_MAX); flow control
// keeps a healthy ring far below either.
const queueSize = 1024

// What a message carries, as far as the model cares. Other values: 1 + the processor that sent a synchronization
// message.
const (
	carriesNothing  = 0
	carriesOldRing  = 0xff // MESSAGE_ENCAPSULATED: a message of the old ring, in recovery
	carriesSyncBase = 1
)

// sortQueue holds which messages of a ring a processor has (include/corosync/sq.h).
type sortQueue struct {
	aru       int32 // my_aru: has all up to here
	high      int32 // my_high_seq_received
	released  int32 // last_released: all have all up to here
	delivered int32 // my_high_delivered
	*queueItems
}

type queueItems struct {
	has    [queueSize / 64]uint64
	meta   [queueSize]uint8
	missed [queueSize]uint8 // items_miss_count
}

// clear empties the queue (sq_reinit).
func (q *sortQueue) clear() {
	*q.queueItems = queueItems{}
	*q = sortQueue{queueItems: q.queueItems}
}

func (q *sortQueue) inRange(seq int32) bool { return seq > q.released && seq-q.released < queueSize }

func (q *sortQueue) holds(seq int32) bool {
	return q.inRange(seq) && q.has[seq%queueSize/64]&(1<<(seq%64)) != 0
}

// add files a message and says whether it was new.
func (q *sortQueue) add(seq int32, meta uint8) bool {
	if !q.inRange(seq) || q.holds(seq) {
		return false
	}
	q.has[seq%queueSize/64] |= 1 << (seq % 64)
	q.meta[seq%queueSize] = meta
	q.missed[seq%queueSize] = 0
	q.high = max(q.high, seq)
	return true
}

// updateAru moves aru up to the first hole (update_aru).
func (q *sortQueue) updateAru() {
	for q.aru < q.high && q.holds(q.aru+1) {
		q.aru++
	}
}

// miss counts one more token visit without message seq (sq_item_miss_count).
func (q *sortQueue) miss(seq int32) uint8 {
	m := &q.missed[seq%queueSize]
	if *m < 255 {
		*m++
	}
	return *m
}

// release forgets what everybody has (messages_free).
func (q *sortQueue) release(to int32) {
	for q.released < to {
		q.released++
		s := q.released % queueSize
		q.has[s/64] &^= 1 << (s % 64)
		q.missed[s] = 0
	}
}

// count is the number of messages held in (from, to].
func (q *sortQueue) count(from, to int32) int32 {
	n := int32(0)
	for s := from + 1; s <= to; s++ {
		if q.holds(s) {
			n++
		}
	}
	return n
}

// rtrLists keeps the retransmit lists of tokens. A list lives until a few hundred others have been made; a token that is
// so old is of no use to anybody.
type rtrLists struct {
	lists [512][]int32
	last  uint16
}

func (l *rtrLists) get(i uint16) []int32 { return l.lists[i] }

// put copies a list and returns its number; an empty one has number 0.
func (l *rtrLists) put(list []int32) uint16 {
	if len(list) == 0 {
		return 0
	}
	l.last = l.last%uint16(len(l.lists)-1) + 1
	l.lists[l.last] = append(l.lists[l.last][:0], list...)
	return l.last
}
