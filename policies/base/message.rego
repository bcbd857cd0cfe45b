package base

credits_max := "1000000000000000" # Credits in one field: 10^15, far below 2^63, so that sums stay safe.

window_ms_max := 86400000 # One day: longer than any window that a person would wait for, as long as an envelope lives.

ms_min := 1000000000000 # September 2001 in ms since 1970: below it, somebody wrote seconds.

ms_max := 4102444800000 # The year 2100 in ms since 1970.

deny contains reason("verb", ["verb"]) if {
	input.gate == "message"
	not capability_of_verb[at(["verb"])]
}

deny contains reason("capability", ["capability"]) if {
	input.gate == "message"
	not is_capability_of(at(["capability"]), at(["verb"]))
}

deny contains reason(check.rule, check.path) if {
	input.gate == "message"
	some check in every_message
	not passes(check)
}

deny contains reason(check.rule, check.path) if {
	input.gate == "message"
	some check in checks_of_verb[input.verb]
	not passes(check)
}

deny contains reason("need-bounty-above-budget", ["payload", "verifyBounty"]) if {
	input.gate == "message"
	input.verb == "NEED"
	not amount_at_most(at(["payload", "verifyBounty"]), at(["payload", "budget"]))
}

deny contains reason("form-roster", ["payload", "roster"]) if {
	input.gate == "message"
	input.verb == "FORM"
	not count_in(at(["payload", "roster"]), {1, 4, 7})
}

every_message := [
	number("not-after", ["notAfter"], ms_min, ms_max),
	number("lamport", ["lamport"], 0, 9007199254740991),
	list("refs", ["refs"], 0, 64),
]

checks_of_verb := {
	"NEED": [
		text("need-slot", ["payload", "slot"], 1, 256),
		amount("need-budget", ["payload", "budget"], "0", credits_max),
		amount("need-bounty", ["payload", "verifyBounty"], "0", credits_max),
		number("need-k-plan", ["payload", "kPlan"], 1, 64),
		number("need-k-result", ["payload", "kResult"], 1, 64),
		list("need-requires", ["payload", "requires"], 0, 32),
		list("need-produces", ["payload", "produces"], 0, 32),
		list("need-inputs", ["payload", "inputs"], 0, 128),
		number("need-expires-at", ["payload", "expiresAt"], ms_min, ms_max),
		number("need-bid-window", ["payload", "windows", "bidMs"], 0, window_ms_max),
		number("need-lease", ["payload", "windows", "leaseTtlMs"], 100, window_ms_max),
		number("need-verify-window", ["payload", "windows", "verifyMs"], 1, window_ms_max),
		number("need-seal-window", ["payload", "windows", "sealMs"], 0, window_ms_max),
		number("need-reveal-window", ["payload", "windows", "revealMs"], 1, window_ms_max),
		number("need-challenge-window", ["payload", "windows", "challengeMs"], 1, window_ms_max),
	],
	"FORM": [
		number("form-k-plan", ["payload", "kPlan"], 1, 64),
		number("form-k-result", ["payload", "kResult"], 1, 64),
		list("form-candidates", ["payload", "candidates"], 1, 64),
		number("form-precision", ["payload", "precisionMs"], 1, 60000),
	],
	"PROPOSE": [
		amount("ballot-cost", ["payload", "ballot", "cost"], "0", credits_max),
		amount("ballot-bond", ["payload", "ballot", "bond"], "0", credits_max),
		number("ballot-eta", ["payload", "ballot", "etaMs"], 0, window_ms_max),
		list("propose-patch", ["payload", "patch"], 0, 128),
		list("propose-shards", ["payload", "shardDependencies"], 0, 64),
	],
	"CLAIM": [
		number("claim-lease", ["payload", "leaseTtlMs"], 100, window_ms_max),
		amount("claim-cost", ["payload", "cost"], "0", credits_max),
		number("claim-eta", ["payload", "etaMs"], 0, window_ms_max),
	],
	"HEARTBEAT": [number("heartbeat-progress", ["payload", "progress"], 0, 100)],
	"UPDATE_PLAN": [list("plan-facts", ["payload", "facts"], 1, 128)],
	"COMMIT": [
		list("commit-outputs", ["payload", "outputs"], 0, 128),
		amount("commit-bounty", ["payload", "verifyBounty"], "0", credits_max),
		amount("commit-cost", ["payload", "telemetry", "cost"], "0", credits_max),
	],
	"CHALLENGE": [
		amount("challenge-bond", ["payload", "bond"], "0", credits_max),
		list("challenge-evidence", ["payload", "proof", "evidence"], 0, 16),
	],
	"MANIFEST": [
		list("manifest-capabilities", ["payload", "capabilities"], 0, 64),
		list("manifest-roles", ["payload", "roles"], 0, 4),
		list("manifest-tags", ["payload", "tags"], 0, 64),
		amount("manifest-price", ["payload", "price"], "0", credits_max),
		amount("manifest-stake", ["payload", "stake"], "0", credits_max),
	],
}
