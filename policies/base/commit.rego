package base

# What the worker says of its own run, against what its bid and the NEED said.

tokens_max := 1000000000 # 10^9: above it a worker counts something else.

commit_objections contains reason(check.rule, check.path) if {
	some check in commit_checks
	not passes(check)
}

commit_objections contains reason("cost-above-ballot", ["commit", "telemetry", "cost"]) if not amount_at_most(at(["commit", "telemetry", "cost"]), at(["ballot", "cost"]))

commit_objections contains reason("ballot-above-budget", ["ballot", "cost"]) if not amount_at_most(at(["ballot", "cost"]), at(["need", "budget"]))

commit_objections contains reason("bounty-other", ["commit", "verifyBounty"]) if not is_same(["commit", "verifyBounty"], ["need", "verifyBounty"])

commit_checks := [
	number("exit-status", ["commit", "telemetry", "exitStatus"], 0, 0),
	number("wall-time", ["commit", "telemetry", "wallMs"], 0, window_ms_max),
	number("tokens", ["commit", "telemetry", "tokens"], 0, tokens_max),
	list("outputs", ["commit", "outputs"], 1, 128),
]
