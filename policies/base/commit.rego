package base

tokens_max := 1000000000 # 10^9: above it a worker counts something else.

deny contains reason(check.rule, check.path) if {
	input.gate == "commit"
	some check in commit_checks
	not passes(check)
}

deny contains reason("cost-above-ballot", ["commit", "telemetry", "cost"]) if {
	input.gate == "commit"
	not amount_at_most(at(["commit", "telemetry", "cost"]), at(["ballot", "cost"]))
}

deny contains reason("ballot-above-budget", ["ballot", "cost"]) if {
	input.gate == "commit"
	not amount_at_most(at(["ballot", "cost"]), at(["need", "budget"]))
}

commit_checks := [
	number("exit-status", ["commit", "telemetry", "exitStatus"], 0, 0),
	number("wall-time", ["commit", "telemetry", "wallMs"], 0, window_ms_max),
	number("tokens", ["commit", "telemetry", "tokens"], 0, tokens_max),
	list("outputs", ["commit", "outputs"], 1, 128),
]
