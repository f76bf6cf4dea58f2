package corosync

import "time"

// Event is one line of Corosync's log.
type Event struct {
	At    time.Time // zero: the line bears no time
	Host  string    // "" if the line does not say
	PID   int       // 0 if the line does not say; the file's form names the thread that wrote it
	Level string    // notice, info, warning, error, ...; "" in the journal's form
	Tag   string    // TOTEM, KNET, QUORUM, MAIN, ...
	Text  string    // the message, without trailing blanks
	What  Occurrence
}

// Occurrence is what a log line means: one of the types of this file, or nil for a line that means nothing here.
type Occurrence interface{ occurrence() }

// What Totem tells (exec/totemsrp.c unless another file is named).
type (
	// TokenWarning says: token_warning of the token timeout has passed without the token. Repeats each interval.
	TokenWarning struct{ Silent time.Duration }

	// TokenLost says: this node's token timer expired; the ring re-forms. The durations are zero before 3.1.0.
	TokenLost struct{ Token, Consensus time.Duration }

	// NewMembership says: a ring was formed. Neither joined nor left: the token was lost and the members found together again.
	NewMembership struct {
		Ring         RingID
		Joined, Left []uint32
	}

	// LeaveMissing says: these members went without saying goodbye.
	LeaveMissing struct{ Nodes []uint32 }

	// ProcessPause says: this Corosync stood still for more than half of the token.
	ProcessPause struct{ For time.Duration }

	// Retransmits says: messages were missing; Count of them are asked for again.
	Retransmits struct{ Count int }

	// FailedToReceive says: this node holds the ring back and leaves it. Typical of an MTU black hole.
	FailedToReceive struct{}

	// NotScheduled says: the main loop got no CPU for longer than 0.8 of the token (exec/main.c timer_function_scheduler_timeout).
	NotScheduled struct {
		At             time.Time // end of the pause; zero before 3.0.4
		For, Threshold time.Duration
	}

	// CannotForm says: Totem is unable to form a cluster (exec/main.c); rarely logged.
	CannotForm struct{ Reason string }

	// Configured says: a link's local address and port (exec/totemconfig.c, exec/totemknet.c).
	Configured struct {
		Link int
		Addr string
		Port int
	}
)

// What knet tells (libknet/host.c, links.c, threads_*.c).
type (
	// LinkDown says: no pong in time.
	LinkDown struct {
		Node uint32
		Link int
	}

	// LinkUp says: enough pongs, or with libknet 1.27 and later data, which logs only LinkReset.
	LinkUp struct {
		Node uint32
		Link int
	}

	// LinkReset says: the link came up one way or the other; its MTU is looked for anew.
	LinkReset struct {
		Node uint32
		Link int
	}

	// BestLink says: which link knet would use to Node in passive mode. Printed even when none is usable.
	BestLink struct {
		Node     uint32
		Link     int
		Priority int
	}

	// ActiveLinks says: how many links knet uses to Node in active or rr mode.
	ActiveLinks struct {
		Node  uint32
		Count int
	}

	// HostNoLinks says: no usable link to Node is left; the token's time runs. Also logged for each peer at the start.
	HostNoLinks struct{ Node uint32 }

	// LinkMTU says: path MTU discovery found another size on a link.
	LinkMTU struct {
		Node     uint32
		Link     int
		From, To int
	}

	// DataMTU says: the fragment size that Totem's data now has on all links.
	DataMTU struct{ To int }

	// MTUSuspect says: large packets do not get through. Logged minutes late.
	MTUSuspect struct{}

	// PacketRejected says: a packet came from an address that is no member's.
	PacketRejected struct{ From string }

	// PacketUndecryptable says: a packet did not decrypt: another key, or none.
	PacketUndecryptable struct{ From string }
)

// What quorum, configuration and the main program tell.
type (
	// PrimaryComponent says: quorum was gained or lost (exec/vsf_quorum.c).
	PrimaryComponent struct{ Quorate bool }

	// QuorumMembers says: the members that votequorum decided about (exec/vsf_quorum.c). A long list is cut by Corosync.
	QuorumMembers struct{ Nodes []uint32 }

	// SyncDone says: the services are synchronized; the freeze is over (exec/main.c).
	SyncDone struct{}

	// WaitingForAll says: wait_for_all holds quorum back (exec/votequorum.c).
	WaitingForAll struct{ Votes, Expected int }

	// WaitingQdevice says: a membership change waits for the quorum device (exec/votequorum.c).
	WaitingQdevice struct {
		Name string
		Max  time.Duration
	}

	// QdeviceLost says: the quorum device's daemon stopped polling (exec/votequorum.c).
	QdeviceLost struct{ Name string }

	// ConfigReload says: a node asked all to read their corosync.conf again (exec/cfg.c).
	ConfigReload struct{ By uint32 }

	// NodeShutdown says: somebody ended that node's daemon with corosync-cfgtool -H (exec/cfg.c).
	NodeShutdown struct{ Node uint32 }

	// ConfigVersionMismatch says: the cluster's config_version differs from ours; this daemon exits (exec/cmap.c).
	ConfigVersionMismatch struct{ Received, Own uint64 }

	// ClientBlocked says: a client's request waits for synchronization (exec/ipc_glue.c).
	ClientBlocked struct{}

	// DaemonStart says: a daemon starts (exec/main.c).
	DaemonStart struct{ Version string }

	// DaemonExit says: a daemon ends (exec/util.c). Normal: by request.
	DaemonExit struct{ Normal bool }
)

func (TokenWarning) occurrence()          {}
func (TokenLost) occurrence()             {}
func (NewMembership) occurrence()         {}
func (LeaveMissing) occurrence()          {}
func (ProcessPause) occurrence()          {}
func (Retransmits) occurrence()           {}
func (FailedToReceive) occurrence()       {}
func (NotScheduled) occurrence()          {}
func (CannotForm) occurrence()            {}
func (Configured) occurrence()            {}
func (LinkDown) occurrence()              {}
func (LinkUp) occurrence()                {}
func (LinkReset) occurrence()             {}
func (BestLink) occurrence()              {}
func (ActiveLinks) occurrence()           {}
func (HostNoLinks) occurrence()           {}
func (LinkMTU) occurrence()               {}
func (DataMTU) occurrence()               {}
func (MTUSuspect) occurrence()            {}
func (PacketRejected) occurrence()        {}
func (PacketUndecryptable) occurrence()   {}
func (PrimaryComponent) occurrence()      {}
func (QuorumMembers) occurrence()         {}
func (SyncDone) occurrence()              {}
func (WaitingForAll) occurrence()         {}
func (WaitingQdevice) occurrence()        {}
func (QdeviceLost) occurrence()           {}
func (ConfigReload) occurrence()          {}
func (NodeShutdown) occurrence()          {}
func (ConfigVersionMismatch) occurrence() {}
func (ClientBlocked) occurrence()         {}
func (DaemonStart) occurrence()           {}
func (DaemonExit) occurrence()            {}
