package stamp

import (
	"math/bits"
	"time"
)

// Format is the format of a packet's timestamps, the Z bit of its error estimate (RFC 8186 2.3).
type Format uint8

// Timestamp formats.
const (
	NTP Format = iota // 64-bit NTP: seconds since 1900 modulo 2^32, and a 32-bit fraction (RFC 5905 6)
	PTP               // truncated PTPv2: seconds since 1970 modulo 2^32, and nanoseconds. No leap seconds are added (see NewTimestamp)
)

// ntpEpoch is the number of seconds from 1900-01-01 to 1970-01-01 (RFC 5905, figure 4).
const ntpEpoch = 2208988800

// Timestamp is a time as it stands in a packet. What it means depends on the packet's Format. Zero means "none".
type Timestamp uint64

// NewTimestamp returns t in format f. It is never zero: the one instant in 136 years that is written as zero comes out one unit
// late, because a zero receive timestamp marks a request. In PTP format the seconds are those of UTC (PTP's own timescale, TAI, is 37 s
// ahead): differences, which is all that is used here, are the same, and Linux implementations without a PTP clock do likewise.
func NewTimestamp(t time.Time, f Format) Timestamp {
	sec, ns := uint64(t.Unix()), uint64(t.Nanosecond())
	var ts uint64
	if f == PTP {
		ts = sec<<32 | ns
	} else {
		ts = (sec+ntpEpoch)<<32 | (ns<<32+5e8)/1e9
	}
	return Timestamp(max(ts, 1))
}

// Time returns the instant that ts stands for, of the candidates 2^32 s (136 years) apart the one nearest to near. So it reads
// NTP stamps right across the wrap of 2036-02-07 and PTP stamps across that of 2106-02-07. The result is in UTC and has no monotonic reading.
func (ts Timestamp) Time(f Format, near time.Time) time.Time {
	sec, frac := int64(ts>>32), uint64(ts&0xffffffff)
	ns := int64(frac)
	if f == NTP {
		sec -= ntpEpoch
		ns = int64((frac*1e9 + 1<<31) >> 32)
	}
	// int32 of the difference is the shortest way round the circle of 2^32 seconds.
	sec = near.Unix() + int64(int32(sec-near.Unix()))
	return time.Unix(sec, ns).UTC()
}

// Sub returns ts - u, both in format f, by the shortest way round: between -68 and +68 years. It needs no idea of the date.
func (ts Timestamp) Sub(u Timestamp, f Format) time.Duration {
	if f == PTP {
		s := int64(int32(uint32(ts>>32) - uint32(u>>32)))
		return time.Duration(s)*time.Second + time.Duration(int64(uint32(ts))-int64(uint32(u)))
	}
	d := int64(ts - u)
	s, frac := d>>32, uint64(d)&0xffffffff
	return time.Duration(s)*time.Second + time.Duration((frac*1e9+1<<31)>>32)
}

// ErrorEstimate is how far a timestamp may be from UTC (RFC 4656 4.1.2, RFC 8186 2.3): S bit, Z bit, 6 bits of scale, 8 bits of
// multiplier. The zero value is invalid.
type ErrorEstimate uint16

// NewErrorEstimate returns the estimate of a clock that is within bound of UTC; the bound is rounded up. synced: the clock is
// steered by an external source (NTP, PTP, GPS).
func NewErrorEstimate(synced bool, f Format, bound time.Duration) ErrorEstimate {
	bound = min(max(bound, 0), (1<<32-1)*time.Second) // 136 years are enough
	units := uint64(bound/time.Second)<<32 + (uint64(bound%time.Second)<<32+1e9-1)/1e9
	scale := 0
	for units > 255 {
		units = units>>1 + units&1 // rounded up
		scale++
	}
	e := ErrorEstimate(scale<<8) | ErrorEstimate(max(units, 1))
	if synced {
		e |= 1 << 15
	}
	if f == PTP {
		e |= 1 << 14
	}
	return e
}

// Synced reports the S bit: the clock is synchronized to UTC by an external source.
func (e ErrorEstimate) Synced() bool { return e&(1<<15) != 0 }

// Format reports the Z bit: the format of the timestamp beside it.
func (e ErrorEstimate) Format() Format { return Format(e >> 14 & 1) }

// Scale and Multiplier are the parts of the bound.
func (e ErrorEstimate) Scale() uint8 { return uint8(e >> 8 & 0x3f) }

// Multiplier is never zero in a valid estimate.
func (e ErrorEstimate) Multiplier() uint8 { return uint8(e) }

// Valid reports whether the multiplier is not zero, as RFC 4656 4.1.2 demands. Foreign packets may break this; their times are used nonetheless.
func (e ErrorEstimate) Valid() bool { return e.Multiplier() != 0 }

// Bound returns Multiplier x 2^-32 x 2^Scale seconds, at most the longest Duration.
func (e ErrorEstimate) Bound() time.Duration {
	m, s := uint64(e.Multiplier()), uint(e.Scale())
	if s > 56 { // more than 136 years
		return time.Duration(1<<63 - 1)
	}
	hi, lo := bits.Mul64(m<<s, 1e9)
	q, _ := bits.Div64(hi, lo, 1<<32)
	return time.Duration(q)
}
