package checker

// ruleKey tells of a key that keeps the probes from beginning, or from following a change.
func ruleKey(j *judge) {
	if j.in.KeyErr == "" {
		return
	}
	j.add(draft{
		code: CodeProbeKey, severity: Warning, subject: "key",
		title: "the key for probes cannot be used: " + j.in.KeyErr,
	})
}
