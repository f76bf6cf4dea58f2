// Package verdict says whether a cluster, or a path to a site that is to join it, is good enough for Corosync: GO, GO WITH CHANGES, NO-GO or
// NOT ENOUGH DATA, with what that rests on. It is pure: equal measurements give equal verdicts.
//
// Judge runs the record of the probes through the model of Corosync (packages replay and advice), the configuration through package plan, and
// holds what was measured against limits: each is one small function that passes, warns or fails, and says what would cure it.
//
// How the answer follows from them:
//
//   - a limit that fails and that no change of the configuration or layout cures: NO-GO. It takes no long run to see that;
//   - one that the measurement broke and that can be cured: GO WITH CHANGES, and the changes are named;
//   - too little was measured for what hangs on it (Basis.Need): NOT ENOUGH DATA;
//   - a limit of the layout or of arithmetic that fails, or any that warns: GO WITH CHANGES; else GO.
package verdict
