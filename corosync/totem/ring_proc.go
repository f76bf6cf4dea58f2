package totem

import (
	"fmt"
	"iter"
	"math/bits"
)

// Set is a set of processors, by number.
type Set uint64

func setOf(n int) Set {
	if n >= MaxProcessors {
		return ^Set(0)
	}
	return 1<<n - 1
}

func only(i int) Set { return 1 << i }

// Has says whether processor i is in s.
func (s Set) Has(i int) bool { return s&(1<<i) != 0 }

// Len is the number of processors in s.
func (s Set) Len() int { return bits.OnesCount64(uint64(s)) }

// All walks s in ascending order.
func (s Set) All() iter.Seq[int] {
	return func(yield func(int) bool) {
		for s != 0 {
			if !yield(s.lowest()) {
				return
			}
			s &= s - 1
		}
	}
}

func (s Set) lowest() int { return bits.TrailingZeros64(uint64(s)) }

func (s Set) holds(sub Set) bool { return sub&^s == 0 }

// after is the next processor of the ring s behind i; behind the last comes the first.
func (s Set) after(i int) int {
	if up := s &^ (1<<(i+1) - 1); up != 0 && i+1 < MaxProcessors {
		return up.lowest()
	}
	return s.lowest()
}

// RingID names a ring: its representative and a number that grows with every ring.
type RingID uint64

func ringOf(rep int, seq uint64) RingID { return RingID(seq<<8 | uint64(rep)) }

// Rep is the representative: the lowest processor of the ring.
func (id RingID) Rep() int { return int(id & 0xff) }

// Seq is the ring's number; it grows by 4 with every attempt to form one.
func (id RingID) Seq() uint64 { return uint64(id >> 8) }

// String gives rep.seq with both in hexadecimal, as Corosync does; the representative is counted from 1.
func (id RingID) String() string { return fmt.Sprintf("%x.%x", id.Rep()+1, id.Seq()) }

// State is where a processor stands in the membership protocol (exec/totemsrp.c, enum memb_state).
type State uint8

// The states.
const (
	StateOperational State = iota // in service
	StateGather                   // looks for others, by joins
	StateCommit                   // passes the commit token round
	StateRecovery                 // evens out the old ring's messages
)

// String is Corosync's word for the state.
func (s State) String() string {
	return [...]string{"operational", "gather", "commit", "recovery"}[s]
}

// proc is one processor: the parts of struct totemsrp_instance (exec/totemsrp.c) that decide about time and members,
// under their names there.
type proc struct {
	// What every token touches comes first and stays together.
	index        int
	next         int    // the token's target (totemnet_token_target_set)
	pausedUntil  int64  // a stalled host
	ring         RingID // my_ring_id
	tokenSeq     int64  // my_token_seq
	lastToken    int64  // when it last accepted a token
	longest      gap
	sent         token // what it last sent on (orf_token_retransmit), unless sentCommit
	sentNo       int32 // counts the tokens that it sent on
	lastSeq      int32 // my_last_seq
	lastAru      int32 // my_last_aru
	seqUnchanged int32 // my_seq_unchanged
	aruCount     int32 // my_aru_count
	sentBefore   int32 // my_trc: what it multicast on its last token
	backlogPrev  int32 // my_pbl
	backlog      int32 // my_cbl
	newQueue     int32 // new_message_queue
	transQueue   int32 // new_message_queue_trans: the services' synchronization
	retransQueue int32 // retrans_message_queue: the old ring's messages
	state        State
	alive        bool  // the daemon runs
	hostUp       bool  // its host answers: ICMP instead of silence when the daemon is dead
	held         bool  // my_token_held
	discard      bool  // orf_token_discard
	transAck     bool  // waiting_trans_ack
	sentCommit   bool  // it last sent on a commit token
	epoch        uint8 // counts starts, so that what belongs to an earlier life is known
	regular      sortQueue
	timers       [timerCount]timer

	originated   bool // originated_orf_token
	failedToRecv bool // failed_to_recv
	receivedFlag bool // my_received_flg
	setRetrans   bool // my_set_retrans_flg
	oldSaved     bool // old_ring_state_saved
	served       bool // its services answer
	recovery     sortQueue

	oldRing      RingID // my_old_ring_id
	tokenRingSeq uint64 // token_ring_id_seq
	procList     Set    // my_proc_list
	failed       Set    // my_failed_list
	consensus    Set    // consensus_list
	members      Set    // my_memb_list
	newMembers   Set    // my_new_memb_list
	transMembers Set    // my_trans_memb_list
	leaving      Set    // my_leave_memb_list
	joinSent     join   // the last join that left, and when
	joinAt       int64

	flagCount  int32 // my_retrans_flg_count
	rotations  int32 // my_rotation_counter
	installSeq int32 // my_install_seq

	deferred  int32 // messages asked for during synchronization: IPC said try again
	syncStage int
	syncGot   Set // my_processor_list[].received of exec/sync.c

	frozenSince int64 // its last token before service stopped
	pausedSince int64
	tickCount   int // knet's counter of heartbeats, for the once-a-second adjustment
	tickEvery   int64
	linksDue    int64 // before it a heartbeat finds nothing to do, but for the adjustment

	cold *procCold
}

// procCold is what only the forming of a ring touches.
type procCold struct {
	commit     commitToken // commit_token
	sentCommit commitToken // what it last sent on, when that was a commit token
	items      [2]queueItems
}

// reset makes p a processor that does not run.
func (p *proc) reset(index int) {
	epoch, sentNo, cold := p.epoch+1, p.sentNo+1, p.cold
	if cold == nil {
		cold = new(procCold)
	}
	*cold = procCold{}
	*p = proc{index: index, epoch: epoch, sentNo: sentNo, cold: cold, tokenSeq: -1, transAck: true}
	p.regular.queueItems, p.recovery.queueItems = &cold.items[0], &cold.items[1]
	for i := range p.timers {
		p.timers[i] = timer{deadline: off, queued: off}
	}
}

func (p *proc) isRep() bool { return p.ring.Rep() == p.index }

// queue is the sort queue of the processor's state.
func (p *proc) queue() *sortQueue {
	if p.state == StateRecovery {
		return &p.recovery
	}
	return &p.regular
}
