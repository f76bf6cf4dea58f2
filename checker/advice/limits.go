package advice

import "time"

// What advice keeps to.
const (
	// Safety is how many times the worst measured stall the token must be: what was seen in an hour is not the worst there is.
	Safety = 2

	// FenceBudget is what watchdog-mux gives a node without quorum: CLIENT_WATCHDOG_TIMEOUT of pve-ha-manager. The last renewal
	// may be ten seconds old when the path dies.
	FenceBudget = 60 * time.Second

	// MembershipBudget is what token + consensus + synchronization may take of it. Renewals stop meanwhile on healthy nodes too, and
	// merging and the next renewal need their time, and a second loss may follow the first.
	MembershipBudget = FenceBudget / 2

	syncTime       = 2 * time.Second // services after a new membership: pmxcfs, votequorum
	syncTimeDevice = 4 * time.Second // and the quorum device's answer; measured 0.6 to 2.3 s
)

// When a stall is not worth a token.
const (
	farLonger  = 2                // times the present token: too much for a single stall in a record
	sameMoment = 10 * time.Second // stalls no further apart have one cause
)

// How much is tried, and how long. The ring times are those of a cluster of five; larger ones cost more, and get less.
const (
	usualNodes     = 5
	shortTrial     = 10 * time.Minute // ring time of a first look at a candidate
	longTrial      = 80 * time.Minute // of the present settings, and of those that passed the first look
	survivors      = 4
	forecastRounds = 24 // of four minutes and more each, on networks as the record leaves them open
	leastRounds    = 6

	mostPasses = 8 // over the same stretch of the record, with other phases

	leastRecord = 2 * time.Minute  // shorter records give no advice
	quietRecord = 10 * time.Minute // shorter ones cannot say that nothing is wrong
	leastKnown  = 0.5              // share of samples

	messages = time.Second // each node's programs multicast that often, as Proxmox's do
)

// What counts as help.
const (
	cutWell   = 10 // token losses fall to a tenth or less: the change is enough
	cutPartly = 2  // to half or less, beyond chance: it helps partly

	brokenHeavily = 0.1
	brokenMuch    = 0.01 // share of the time without the whole cluster in service: not well, however rarely it begins

	closeShare = 0.8 // of the token: what came later nearly was a loss

	easyShare = 0.75 // of the token: Corosync's own warning; a token that comes later had little to spare
	easyShort = 0.6  // the same at the first look, which sees less
)
