package base

# Bounds that hang on what kind of task it is. A deterministic task is verified by doing it again: what a dead worker may hold
# up, and what people wait for, is an hour or a few. An open task is judged, and judges may be people.
classes := {
	"deterministic": {
		"bounty": "1000000000000", # Credits, 10^12: doing it again costs no more than doing it.
		"lease_ms": 3600000, # One hour: heartbeats renew it, so it is only how long a dead worker holds the task.
		"window_ms": 21600000, # Six hours.
		"messages": 10000, # Half of what a log holds.
		"claims": 16, # Leases of one task: one, and fifteen retries.
		"updates": 512, # UPDATE_PLANs: as many as the plan of a decision refers to.
		"epochs": 4,
	},
	"open": {
		"bounty": credits_max,
		"lease_ms": window_ms_max,
		"window_ms": window_ms_max,
		"messages": 20000, # What a log holds.
		"claims": 64,
		"updates": 512,
		"epochs": 4,
	},
}

need_objections contains reason("need-class", ["payload", "taskClass"]) if not classes[at(["payload", "taskClass"])]

need_objections contains reason(check.rule, check.path) if {
	some check in checks_of_class[input.payload.taskClass]
	not passes(check)
}

checks_of_class[class] := [
	amount("need-bounty", ["payload", "verifyBounty"], "0", bounds.bounty),
	number("need-lease", ["payload", "windows", "leaseTtlMs"], 100, bounds.lease_ms),
	number("need-bid-window", ["payload", "windows", "bidMs"], 0, bounds.window_ms),
	number("need-verify-window", ["payload", "windows", "verifyMs"], 1, bounds.window_ms),
	number("need-seal-window", ["payload", "windows", "sealMs"], 0, bounds.window_ms),
	number("need-reveal-window", ["payload", "windows", "revealMs"], 1, bounds.window_ms),
	number("need-challenge-window", ["payload", "windows", "challengeMs"], 1, bounds.window_ms),
] if {
	some class, bounds in classes
}
