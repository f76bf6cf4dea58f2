package corosync

import (
	"strconv"
	"strings"
	"time"
)

// ParseLog reads one line of Corosync's log. ref is a time near the line's own: the forms of files and syslog bear neither
// year nor zone, so they are taken in ref's zone and in the year that puts them nearest to ref. It knows
//
//	Nov 21 04:44:54.131 [10] pve1 corosync notice  [TOTEM ] text      logging.to_logfile, timestamp: hires (the default since 3.0)
//	Nov 21 04:44:08 [10] pve1 corosync notice  [TOTEM ] text          timestamp: on
//	[10] pve1 corosync notice  [TOTEM ] text                          timestamp: off
//	Nov 21 04:44:08 pve1 corosync[10]:   [TOTEM ] text                syslog, journalctl -o short
//	2026-11-21T04:44:08.131+01:00 pve1 corosync[10]:   [TOTEM ] text  rsyslog, journalctl -o short-iso-precise
//	1795236294.131456 pve1 corosync[10]:   [TOTEM ] text              journalctl -o short-unix
//	  [TOTEM ] text                                                   journalctl -o cat
//
// with and without logging.fileline and function_name. Lines without a subsystem's tag give false: they are not
// Corosync's. Event.What is nil for those that mean nothing here.
func ParseLog(line string, ref time.Time) (Event, bool) {
	line = strings.TrimRight(line, "\r\n\t ")
	head, tag, text, ok := cutTag(line)
	if !ok {
		return Event{}, false
	}
	e := Event{Tag: tag, Text: text}
	rest := head
	e.At, rest = cutTime(rest, ref)
	e.header(rest)
	e.What = meaning(tag, cutSource(text))
	return e, true
}

// cutTag finds "[TOTEM ] " and splits the line there.
func cutTag(line string) (head, tag, text string, ok bool) {
	const longest = 12
	for from := 0; ; {
		i := strings.IndexByte(line[from:], '[')
		if i < 0 {
			return "", "", "", false
		}
		i += from
		from = i + 1
		j := strings.IndexByte(line[i:min(len(line), i+longest)], ']')
		if j < 0 {
			continue
		}
		name := strings.TrimSpace(line[i+1 : i+j])
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return r < 'A' || r > 'Z' }) {
			continue // a pid
		}
		return line[:i], name, strings.TrimSpace(line[i+j+1:]), true
	}
}

// cutTime takes the time from the beginning of a line.
func cutTime(s string, ref time.Time) (time.Time, string) {
	first, rest, _ := strings.Cut(s, " ")
	if sec, frac, ok := strings.Cut(first, "."); ok || len(first) == 10 {
		if t, ok := unixTime(sec, frac); ok {
			return t, rest
		}
	}
	if t, err := time.Parse("2006-01-02T15:04:05Z0700", first); err == nil {
		return t, rest
	}
	if t, err := time.Parse(time.RFC3339, first); err == nil {
		return t, rest
	}
	const stamp = len("Jan _2 15:04:05")
	if len(s) < stamp {
		return time.Time{}, s
	}
	end := stamp
	for end < len(s) && s[end] != ' ' {
		end++
	}
	t, err := time.ParseInLocation("Jan _2 15:04:05", s[:end], ref.Location())
	if err != nil {
		return time.Time{}, s
	}
	return nearestYear(t, ref), s[end:]
}

// unixTime reads seconds since 1970 and a decimal fraction.
func unixTime(sec, frac string) (time.Time, bool) {
	n, err := strconv.ParseInt(sec, 10, 64)
	if err != nil || n < 1<<29 || n > 1<<40 || len(frac) > 9 {
		return time.Time{}, false
	}
	nanos := int64(0)
	if frac != "" {
		f, err := strconv.ParseUint(frac+strings.Repeat("0", 9-len(frac)), 10, 32)
		if err != nil {
			return time.Time{}, false
		}
		nanos = int64(f)
	}
	return time.Unix(n, nanos), true
}

// nearestYear gives t, which has no year, the one that puts it nearest to ref.
func nearestYear(t, ref time.Time) time.Time {
	var best time.Time
	for year := ref.Year() - 1; year <= ref.Year()+1; year++ {
		c := time.Date(year, t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), ref.Location())
		if c.Month() != t.Month() { // the 29th of February of another year
			continue
		}
		if best.IsZero() || c.Sub(ref).Abs() < best.Sub(ref).Abs() {
			best = c
		}
	}
	return best
}

// header reads what stands between time and tag: "[10] pve1 corosync notice" or "pve1 corosync[10]:".
func (e *Event) header(s string) {
	f := strings.Fields(s)
	for i, word := range f {
		if digits, ok := strings.CutPrefix(word, "["); ok && i == 0 { // the file's form
			e.PID, _ = strconv.Atoi(strings.TrimSuffix(digits, "]"))
			if len(f) > 1 {
				e.Host = f[1]
			}
			if len(f) > 3 {
				e.Level = f[3]
			}
			return
		}
		name, digits, ok := strings.Cut(word, "[")
		if !ok || !strings.HasSuffix(digits, "]:") || name == "" {
			continue
		}
		e.PID, _ = strconv.Atoi(strings.TrimSuffix(digits, "]:"))
		if i > 0 {
			e.Host = f[i-1]
		}
		return
	}
}

// cutSource takes off what logging.fileline and function_name put before a message: "totemsrp.c:1234 " or
// "totemsrp.c:function:1234 ".
func cutSource(text string) string {
	word, rest, ok := strings.Cut(text, " ")
	if ok && strings.Contains(word, ".c:") {
		return strings.TrimSpace(rest)
	}
	return text
}

// capture matches text against a template in which each % stands for any text up to what follows it, and returns those
// pieces. An empty piece is a match too.
func capture(text, template string) ([]string, bool) {
	literals := strings.Split(template, "%")
	text, ok := strings.CutPrefix(text, literals[0])
	if !ok {
		return nil, false
	}
	var pieces []string
	for i, literal := range literals[1:] {
		last := i == len(literals)-2
		if last && literal == "" {
			pieces = append(pieces, text)
			return pieces, true
		}
		piece, rest, ok := strings.Cut(text, literal)
		if !ok {
			return nil, false
		}
		pieces = append(pieces, piece)
		text = rest
	}
	return pieces, true
}
