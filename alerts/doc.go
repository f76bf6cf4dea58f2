// Package alerts turns Reports into notifications and brings them to people.
//
// There are two halves. Manager is pure: Step takes the time and a Report and returns what has to be said, and nothing else. It
// groups findings into incidents, one for each cause, and speaks when an incident begins, gets worse, turns out to have another
// cause, has stood for the repeat interval, or is over. Queue is the doing half: one for each receiver, it keeps a bounded line
// of notifications in memory and retries with back-off while the receiver is out of reach.
//
// A Notifier brings one notification to one receiver; each kind of receiver has a package of its own below this one, and passes
// the contract tests of package alertstest.
//
// # Queues
//
// A Queue sends what is most urgent first: what is critical before what is a warning, what stands before what is over. News of one
// incident stays in order, but a critical page takes the place of all lesser news of its incident that still waits. After a failure
// every other try is for what was tried least: a notification that the receiver never takes costs the others a pause, not their
// delivery. Pauses grow from 1 s to 15 s, or are what the receiver asks for: up to 5 min, up to 30 s while a critical page waits. A
// critical page that comes in ends the pause, once.
//
// What cannot be delivered is given up after a day, when critical after 7 days; after 20 calls (critical: 40) if the receiver has
// taken something else meanwhile; and at once if the answer says that retrying would not help. Whatever is lost is logged and
// counted in QueueStats.
//
// # Incidents
//
// A finding that names a cause belongs to the incident of its cause. What once belonged to an incident stays in it until the
// incident is over, whichever of them clears first, and a finding that takes the place of another (a cut of a node turns out to be
// the cut of a site) takes its place in the incident: one dead switch is one incident from its first symptom to its stable end.
// The key of an incident is made of the cluster's name and the key of its first finding, so that agents that see the same first
// finding give the same key and receivers can tell duplicates.
//
// Hysteresis is not done here: a finding stands in the Report until its stable period is over (checker.Finding.Clearing). Nothing
// is held back either: what is worth a word is said at once.
package alerts
