package votequorum

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Errors with which votequorum refuses to start (votequorum_readconfig, "configuration error: ...").
var (
	ErrNoVotes            = errors.New("neither a nodelist nor quorum.expected_votes")
	ErrTwoNodeDevice      = errors.New("two_node and quorum.device cannot be used together")
	ErrTieBreakerLMS      = errors.New("auto_tie_breaker and last_man_standing need wait_for_all with an odd sum of votes")
	ErrDeviceLMS          = errors.New("quorum.device and last_man_standing cannot be used together")
	ErrDeviceTieBreaker   = errors.New("quorum.device and auto_tie_breaker cannot be used together")
	ErrDeviceDownscale    = errors.New("quorum.device and allow_downscale cannot be used together")
	ErrDeviceVotesUnknown = errors.New("quorum.device.votes must be given with expected_votes or when not all nodes have one vote")
	ErrDeviceVotesHigh    = errors.New("quorum.device.votes is too high or expected_votes is too low")
)

// Effective returns c as votequorum runs it: options that exclude each other switched off, with a note for each, or the
// error with which it refuses to start. The checks are those of votequorum_readconfig, in its order.
func (c Config) Effective() (Config, []string, error) {
	if len(c.NodeVotes) == 0 && c.ExpectedVotes == 0 {
		return c, nil, ErrNoVotes
	}
	if c.TwoNode && c.Device != nil {
		return c, nil, ErrTwoNodeDevice
	}
	var notes []string
	if c.AutoTieBreaker && !c.knowsTieBreaker() {
		c.AutoTieBreaker = false
		notes = append(notes, "auto_tie_breaker is ignored: auto_tie_breaker_node is neither lowest, highest nor a list of node ids")
	}
	if c.TwoNode && c.AutoTieBreaker {
		c.TwoNode = false
		notes = append(notes, "two_node is ignored: auto_tie_breaker excludes it")
	}
	if c.AutoTieBreaker && !c.WaitForAll && c.nodeSum()%2 != 0 {
		if c.LastManStanding {
			return c, notes, ErrTieBreakerLMS
		}
		c.AutoTieBreaker = false
		notes = append(notes, "auto_tie_breaker is ignored: an odd sum of votes needs wait_for_all with it")
	}
	if c.LastManStanding && slices.ContainsFunc(slices.Collect(maps.Values(c.NodeVotes)), func(v int) bool { return v > 1 }) {
		c.LastManStanding = false
		notes = append(notes, "last_man_standing is ignored: not all nodes have one vote")
	}
	if c.tracking() && c.ExpectedVotes > 0 {
		notes = append(notes, "expected_votes is ignored: the highest number of votes that was ever seen takes its place")
	}
	err := c.deviceError()
	if c.Device != nil && err == nil && c.decides() == neverVotes {
		notes = append(notes, "the quorum device never votes: "+c.refusal())
	}
	return c, notes, err
}

// refusal is why corosync-qdevice or its server refuses to work.
func (c Config) refusal() string {
	d := *c.Device
	if _, ok := d.tieBreaker(); !ok {
		return "tie_breaker is neither lowest, highest nor a node id"
	}
	switch {
	case d.Model != "net":
		return "its model is not net"
	case d.Algorithm == "" || d.Algorithm == "ffsplit":
		return "ffsplit wants `votes: 1` and nodes with one vote each"
	case d.Algorithm == "2nodelms":
		return "2nodelms wants two nodes"
	case d.Algorithm == "test":
		return "algorithm test is switched off"
	}
	return "its algorithm is unknown"
}

func (c Config) deviceError() error {
	switch d := c.Device; {
	case d == nil:
		return nil
	case c.LastManStanding:
		return ErrDeviceLMS
	case c.AutoTieBreaker:
		return ErrDeviceTieBreaker
	case c.AllowDownscale:
		return ErrDeviceDownscale
	case d.Votes == 0 && (c.ExpectedVotes > 0 || c.nodeSum() != len(c.NodeVotes)):
		return ErrDeviceVotesUnknown
	case d.Votes > 0 && c.ExpectedVotes > 0 && c.ExpectedVotes-d.Votes < 2:
		return ErrDeviceVotesHigh
	}
	return nil
}

// tracking tells whether the highest expected votes are kept in a file: allow_downscale switches that on.
func (c Config) tracking() bool { return c.ExpectedVotesTracking || c.AllowDownscale }

// startExpected is us->expected_votes as votequorum_readconfig leaves it: the device counts only if its votes are derived. With
// tracking, what the file says takes the place of quorum.expected_votes, even if it says nothing.
func (c Config) startExpected(tracked int) int {
	expected := c.ExpectedVotes
	if c.tracking() {
		expected = tracked
	}
	if expected > 0 {
		return expected
	}
	if c.Device != nil && c.Device.Votes == 0 {
		return c.nodeSum() + c.DeviceVotes()
	}
	return c.nodeSum()
}

// Expected is what expected_votes is once all nodes and the device were seen: quorum.expected_votes if written and not overruled by
// tracking, else the sum of the nodes' votes plus the device's.
func (c Config) Expected() int {
	if c.ExpectedVotes > 0 && !c.tracking() {
		return c.ExpectedVotes
	}
	return c.nodeSum() + c.DeviceVotes()
}

// DeviceVotes are the votes of the quorum device, 0 without one; unset, one less than the nodes have (votequorum_readconfig,
// "automatically calculate device votes").
func (c Config) DeviceVotes() int {
	switch {
	case c.Device == nil:
		return 0
	case c.Device.Votes > 0:
		return c.Device.Votes
	}
	return c.nodeSum() - 1
}

// Nodes returns the configured node ids, ascending.
func (c Config) Nodes() []uint32 { return slices.Sorted(maps.Keys(c.NodeVotes)) }

func (c Config) nodeSum() int {
	sum := 0
	for _, v := range c.NodeVotes {
		sum += v
	}
	return sum
}

// allOne tells whether every node has one vote.
func (c Config) allOne() bool {
	for _, v := range c.NodeVotes {
		if v != 1 {
			return false
		}
	}
	return true
}

func (c Config) votes(nodes []uint32) int {
	sum := 0
	for _, n := range nodes {
		sum += c.NodeVotes[n]
	}
	return sum
}

// knowsTieBreaker tells whether parse_atb_string makes something of auto_tie_breaker_node.
func (c Config) knowsTieBreaker() bool {
	return slices.Contains([]string{"", "lowest", "highest"}, c.AutoTieBreakerNode) || len(c.tieBreakers()) > 0
}

// tieBreakers returns the node ids of an auto_tie_breaker_node list, up to the first thing that is no number; none for lowest and
// highest (parse_atb_string).
func (c Config) tieBreakers() []uint32 {
	var ids []uint32
	for f := range strings.FieldsSeq(c.AutoTieBreakerNode) {
		digits := len(f) - len(strings.TrimLeft(f, "0123456789"))
		id, err := strconv.ParseUint(f[:digits], 10, 32)
		if err != nil || id == 0 {
			break
		}
		ids = append(ids, uint32(id))
		if digits < len(f) {
			break
		}
	}
	return ids
}

// heaviestFirst sorts nodes so that those come first whose loss hurts most: by votes, and among equals the one that would
// win a tie.
func (c Config) heaviestFirst(nodes []uint32) []uint32 {
	s := slices.Clone(nodes)
	list := c.tieBreakers()
	rank := func(n uint32) int {
		if i := slices.Index(list, n); i >= 0 {
			return i - len(list)
		}
		return 0
	}
	slices.SortFunc(s, func(a, b uint32) int {
		byID := cmp.Compare(a, b)
		if c.AutoTieBreakerNode == "highest" {
			byID = -byID
		}
		return cmp.Or(cmp.Compare(c.NodeVotes[b], c.NodeVotes[a]), cmp.Compare(rank(a), rank(b)), byID)
	})
	return s
}
