package strict

# After the work: what it used, where it ran, and who had found the bid sound.

result_objections contains reason("class", ["need", "taskClass"]) if not bounds

result_objections contains reason("exit-status", ["commit", "telemetry", "exitStatus"]) if {
	at(["commit", "telemetry", "exitStatus"]) != 0
}

result_objections contains reason("outputs", ["commit", "outputs"]) if not count(at(["commit", "outputs"])) > 0

result_objections contains reason("cost", ["commit", "telemetry", "cost"]) if {
	not at_most(at(["commit", "telemetry", "cost"]), at(["ballot", "cost"]))
}

result_objections contains reason("tokens", ["commit", "telemetry", "tokens"]) if {
	not within(at(["commit", "telemetry", "tokens"]), 0, bounds.tokens)
}

result_objections contains reason("zone", ["commit", "telemetry", "zone"]) if {
	not at(["commit", "telemetry", "zone"]) in zones
}

result_objections contains reason(what, ["usage", what]) if {
	some what in {"messages", "claims", "updates"}
	not within(at(["usage", what]), 0, bounds[what])
}

result_objections contains concat(": ", ["committee-org", json.marshal(org)]) if {
	some one in at(["committee"])
	org := org_of(one)
	count([other | some other in input.committee; org_of(other) == org]) > per_org
}

result_objections contains concat(": ", ["committee-of-worker", json.marshal(org)]) if {
	org := at(["standing", "org"])
	some one in at(["committee"])
	org_of(one) == org
}

result_objections contains reason("committee", ["committee"]) if not count(at(["committee"])) > 0

org_of(one) := object.get(one, ["standing", "org"], "") if is_object(object.get(one, "standing", null))

org_of(one) := "" if not is_object(object.get(one, "standing", null))
