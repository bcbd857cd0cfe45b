package base_test

import data.base

cid := "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"

worker := "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"

message(verb, payload) := {
	"gate": "message",
	"verb": verb,
	"sender": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
	"thread": null,
	"capability": base.capability_of_verb[verb],
	"lamport": 7,
	"epoch": null,
	"fence": null,
	"refs": [],
	"notAfter": 1800000000000,
	"payload": payload,
}

windows := {"bidMs": 500, "leaseTtlMs": 5000, "verifyMs": 10000, "sealMs": 0, "revealMs": 5000, "challengeMs": 500}

need := {
	"slot": "s",
	"epoch": 0,
	"task": "text/language",
	"requires": ["text/language"],
	"produces": [],
	"inputs": [cid],
	"budget": "1000",
	"verifyBounty": "100",
	"kPlan": 1,
	"kResult": 2,
	"windows": windows,
	"expiresAt": 1800000000000,
	"capsule": cid,
	"taskClass": "deterministic",
	"solo": false,
	"terms": null,
}

terms := {"zones": ["eu", "us"], "tags": ["vetted"], "perOrg": 1, "perZone": null, "tokensMax": 500}

strict_need := patched(need, {"terms": terms})

requester := "did:key:z6MktULudTtAsAhRegYPiZ6631RV3viv12qd4GQF8z1xB22S"

standing := {"manifest": cid, "roles": ["voter", "worker"], "tags": ["vetted"], "zone": "eu", "org": "acme", "stake": "0"}

usage := {"messages": 12, "updates": 0, "claims": 1, "yields": 0, "logMs": 2500}

member(did, org, zone) := {"did": did, "standing": patched(standing, {"org": org, "zone": zone})}

result := {
	"gate": "commit",
	"thread": cid,
	"sender": worker,
	"epoch": 0,
	"fence": [0, 1, 4],
	"need": need,
	"requester": requester,
	"ballot": {"cost": "900", "etaMs": 1000, "bond": "10"},
	"standing": standing,
	"committee": [{"did": "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", "standing": null}],
	"usage": usage,
	"commit": {"task": cid, "outputs": [cid], "verifyBounty": "100", "telemetry": telemetry},
}

telemetry := {"tokens": 0, "cost": "900", "wallMs": 1200, "exitStatus": 0, "tool": "t", "model": "", "zone": ""}

with_commit(patch) := patched(result, {"commit": patched(result.commit, patch)})

with_telemetry(patch) := with_commit({"telemetry": patched(telemetry, patch)})

rules(what) := {rule | some text in base.decision.reasons with input as what; rule := split(text, ":")[0]}

patched(object_, patch) := object.union(object_, patch)

test_a_good_need_passes if base.decision == {"allow": true, "reasons": []} with input as message("NEED", need)

test_an_empty_input_is_denied if not base.decision.allow with input as {}

test_an_unknown_gate_is_denied if {
	what := patched(message("NEED", need), {"gate": "other"})
	not base.decision.allow with input as what
	rules(what) == {"gate"}
}

test_an_unknown_verb_is_denied if {
	what := patched(message("NEED", need), {"verb": "SHOUT"})
	not base.decision.allow with input as what
	rules(what) == {"verb", "capability"}
}

test_a_capability_of_another_verb_is_denied if {
	rules(patched(message("NEED", need), {"capability": "swarm/propose"})) == {"capability"}
}

test_a_missing_verb_is_denied if {
	rules(object.remove(message("NEED", need), ["verb"])) == {"verb", "capability"}
}

test_a_missing_capability_is_denied if {
	rules(object.remove(message("NEED", need), ["capability"])) == {"capability"}
}

test_every_verb_names_its_capability if {
	every verb, capability in base.capability_of_verb {
		capability == concat("", ["swarm/", lower(replace(verb, "_", "-"))])
	}
}

test_a_missing_field_is_denied if {
	every field in {"budget", "verifyBounty", "kPlan", "kResult", "windows", "expiresAt", "inputs", "requires", "produces", "slot"} {
		not base.decision.allow with input as message("NEED", object.remove(need, [field]))
	}
}

test_a_payload_that_is_not_there_is_denied if {
	every verb in object.keys(base.checks_of_verb) {
		not base.decision.allow with input as object.remove(message(verb, {}), ["payload"])
	}
}

test_seconds_instead_of_ms_are_denied if {
	rules(patched(message("RELEASE", {}), {"notAfter": 1800000000})) == {"not-after"}
}

test_bounds_of_a_need if {
	rules(message("NEED", patched(need, {"kPlan": 0}))) == {"need-k-plan"}
	rules(message("NEED", patched(need, {"kResult": 65}))) == {"need-k-result"}
	rules(message("NEED", patched(need, {"budget": "1000000000000001"}))) == {"need-budget"}
	rules(message("NEED", patched(need, {"budget": "-5"}))) == {"need-budget", "need-bounty-above-budget"}
	rules(message("NEED", patched(need, {"verifyBounty": "1001"}))) == {"need-bounty-above-budget"}
	rules(message("NEED", patched(need, {"slot": ""}))) == {"need-slot"}
	rules(message("NEED", patched(need, {"inputs": numbers.range(1, 129)}))) == {"need-inputs"}
	rules(message("NEED", patched(need, {"windows": patched(windows, {"challengeMs": 0})}))) == {"need-challenge-window"}
	rules(message("NEED", patched(need, {"windows": patched(windows, {"bidMs": 21600001})}))) == {"need-bid-window"}
	rules(message("NEED", patched(need, {"windows": patched(windows, {"leaseTtlMs": 99})}))) == {"need-lease"}
}

test_a_ballot_has_bounds if {
	ballot := {"cost": "10", "etaMs": 5, "bond": "1"}
	proposal := {"need": cid, "patch": [], "ballot": ballot, "shardDependencies": []}
	base.decision.allow with input as message("PROPOSE", proposal)
	rules(message("PROPOSE", patched(proposal, {"ballot": patched(ballot, {"cost": "9000000000000000"})}))) == {"ballot-cost"}
	rules(message("PROPOSE", patched(proposal, {"ballot": patched(ballot, {"bond": "x"})}))) == {"ballot-bond"}
	rules(message("PROPOSE", patched(proposal, {"patch": numbers.range(1, 129)}))) == {"propose-patch"}
}

test_a_roster_has_one_four_or_seven if {
	form := {"roster": [1, 2, 3, 4], "candidates": [1, 2, 3, 4], "kPlan": 1, "kResult": 1, "precisionMs": 5000}
	base.decision.allow with input as message("FORM", form)
	rules(message("FORM", patched(form, {"roster": [1, 2]}))) == {"form-roster"}
	rules(message("FORM", object.remove(form, ["roster"]))) == {"form-roster"}
}

test_amounts if {
	base.amount_within("0", "0", "0")
	base.amount_within("9223372036854775807", "0", "9223372036854775807")
	not base.amount_within("9223372036854775808", "0", "9223372036854775807")
	base.amount_within("9", "0", "10")
	not base.amount_within("11", "0", "9")
	not base.amount_within("01", "0", "10")
	not base.amount_within("", "0", "10")
	not base.amount_within("1.5", "0", "10")
	not base.amount_within(5, "0", "10")
	not base.amount_within("99999999999999999999", "0", "9")
}

test_a_good_result_passes if base.decision == {"allow": true, "reasons": []} with input as result

test_a_failed_program_is_denied if {
	rules(with_telemetry({"exitStatus": 1})) == {"exit-status"}
}

test_a_result_without_output_is_denied if rules(with_commit({"outputs": []})) == {"outputs"}

test_cost_above_the_ballot_is_denied if {
	rules(with_telemetry({"cost": "901"})) == {"cost-above-ballot"}
}

test_a_ballot_above_the_budget_is_denied if {
	rules(patched(result, {"need": patched(need, {"budget": "899"})})) == {"ballot-above-budget"}
}

test_limits_of_telemetry if {
	rules(with_telemetry({"wallMs": 86400001})) == {"wall-time"}
	rules(with_telemetry({"tokens": 1000000001})) == {"tokens"}
}

test_a_commit_gate_without_telemetry_is_denied if {
	rules({"gate": "commit"}) == {
		"ballot-above-budget", "bounty-other", "committee", "cost-above-ballot", "exit-status", "outputs", "task-class",
		"tokens", "wall-time",
	}
}
