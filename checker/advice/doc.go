// Package advice finds the smallest change of corosync.conf that the model shows to help on what was measured, or says that none does.
// It is pure.
//
// Advise tries settings in the ring model (package corosync/totem) over a record of the paths: knet's heartbeat timers, retransmits,
// token, token_coefficient, priorities. A candidate is refused if Corosync or knet would refuse it, if it breaks one of the two bounds -
// the worst measured stall times Safety stays below the token; token, consensus and synchronization stay well under what the HA watchdog
// leaves - if a clean death of the preferred link would then cost the token, or if a dead node would not be declared. Of those
// that help, the first in the order in which they are tried is proposed: the smallest change comes first.
//
// What no record can show - a second link, a quorum device - is only told as a Remark, with the assumption that it rests on.
package advice
