package probe

import (
	"sync"
	"time"
)

// windowBits is how far a request may be behind the newest one.
const windowBits = 1024

// window remembers which sequence numbers were seen (as RFC 4303 section 3.4.3 does).
type window struct {
	begun bool
	top   uint32
	bits  [windowBits / 64]uint64
}

// verdict is what a window says of a number.
type verdict uint8

const (
	fresh verdict = iota
	seen
	old
)

// accept judges a sequence number, and remembers it if it is fresh.
func (w *window) accept(seq uint32) verdict {
	if !w.begun {
		*w = window{begun: true, top: seq}
	}
	switch ahead := int32(seq - w.top); {
	case ahead > 0:
		for i := range min(uint32(ahead), windowBits) {
			w.clear(seq - i)
		}
		w.top = seq
	case ahead <= -windowBits:
		return old
	case w.has(seq):
		return seen
	}
	w.bits[seq/64%(windowBits/64)] |= 1 << (seq % 64)
	return fresh
}

func (w *window) has(seq uint32) bool { return w.bits[seq/64%(windowBits/64)]>>(seq%64)&1 == 1 }

func (w *window) clear(seq uint32) { w.bits[seq/64%(windowBits/64)] &^= 1 << (seq % 64) }

// bucket is a token bucket that holds one second's worth.
type bucket struct {
	rate   float64 // a second
	tokens float64
	at     time.Time
}

// take takes a token if there is one.
func (b *bucket) take(now time.Time) bool {
	if b.at.IsZero() {
		b.tokens = b.rate
	} else {
		b.tokens = min(b.tokens+max(now.Sub(b.at).Seconds(), 0)*b.rate, max(b.rate, 1))
	}
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// bucketLock is a bucket for several goroutines.
type bucketLock struct {
	mu     sync.Mutex
	bucket bucket
}

func (b *bucketLock) take(now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.bucket.take(now)
}
