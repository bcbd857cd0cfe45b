package base

credits_max := "1000000000000000" # Credits in one field: 10^15, far below 2^63, so that sums stay safe.

window_ms_max := 86400000 # One day: longer than any window that a person would wait for, as long as an envelope lives.

ms_min := 1000000000000 # September 2001 in ms since 1970: below it, somebody wrote seconds.

ms_max := 4102444800000 # The year 2100 in ms since 1970.

message_objections contains objection if {
	input.verb == "NEED"
	some objection in need_objections
}

message_objections contains reason("verb", ["verb"]) if not capability_of_verb[at(["verb"])]

message_objections contains reason("capability", ["capability"]) if not is_capability_of(at(["capability"]), at(["verb"]))

message_objections contains reason(check.rule, check.path) if {
	some check in every_message
	not passes(check)
}

message_objections contains reason(check.rule, check.path) if {
	some check in checks_of_verb[input.verb]
	not passes(check)
}

need_objections contains reason("need-bounty-above-budget", ["payload", "verifyBounty"]) if not amount_at_most(at(["payload", "verifyBounty"]), at(["payload", "budget"]))

message_objections contains reason("form-roster", ["payload", "roster"]) if {
	input.verb == "FORM"
	not count_in(at(["payload", "roster"]), {1, 4, 7})
}

# Who says something of itself says no more than a manifest may.
message_objections contains reason(check.rule, check.path) if {
	is_given(input.payload.standing)
	some check in every_standing
	not passes(check)
}

every_standing := [
	text("standing-zone", ["payload", "standing", "zone"], 0, 128),
	text("standing-org", ["payload", "standing", "org"], 0, 128),
	amount("standing-stake", ["payload", "standing", "stake"], "0", credits_max),
]

every_message := [
	number("not-after", ["notAfter"], ms_min, ms_max),
	number("lamport", ["lamport"], 0, 9007199254740991),
	list("refs", ["refs"], 0, 64),
]

checks_of_verb := {
	"NEED": [
		text("need-slot", ["payload", "slot"], 1, 256),
		amount("need-budget", ["payload", "budget"], "0", credits_max),
		number("need-k-plan", ["payload", "kPlan"], 1, 64),
		number("need-k-result", ["payload", "kResult"], 1, 64),
		list("need-requires", ["payload", "requires"], 0, 32),
		list("need-produces", ["payload", "produces"], 0, 32),
		list("need-inputs", ["payload", "inputs"], 0, 128),
		number("need-expires-at", ["payload", "expiresAt"], ms_min, ms_max),
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
	"YIELD": [text("yield-reason", ["payload", "reason"], 0, 1024)],
	"UPDATE_PLAN": [list("plan-facts", ["payload", "facts"], 1, 128)],
	"COMMIT": [
		list("commit-outputs", ["payload", "outputs"], 0, 128),
		amount("commit-bounty", ["payload", "verifyBounty"], "0", credits_max),
		amount("commit-cost", ["payload", "telemetry", "cost"], "0", credits_max),
		text("commit-tool", ["payload", "telemetry", "tool"], 0, 1024),
		text("commit-model", ["payload", "telemetry", "model"], 0, 1024),
		text("commit-zone", ["payload", "telemetry", "zone"], 0, 128),
	],
	"CHALLENGE": [
		amount("challenge-bond", ["payload", "bond"], "0", credits_max),
		list("challenge-evidence", ["payload", "proof", "evidence"], 0, 16),
	],
	"MANIFEST": [
		list("manifest-capabilities", ["payload", "capabilities"], 0, 64),
		list("manifest-roles", ["payload", "roles"], 0, 4),
		list("manifest-tags", ["payload", "tags"], 0, 16),
		text("manifest-zone", ["payload", "zone"], 0, 128),
		text("manifest-org", ["payload", "org"], 0, 128),
		amount("manifest-price", ["payload", "price"], "0", credits_max),
		amount("manifest-stake", ["payload", "stake"], "0", credits_max),
	],
}
