package strict_test

import data.strict

cid := "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy"

need := {
	"budget": "1000",
	"verifyBounty": "50",
	"taskClass": "deterministic",
	"windows": {"leaseTtlMs": 30000, "challengeMs": 1000},
}

standing := {"manifest": cid, "roles": ["worker"], "tags": ["vetted"], "zone": "eu", "org": "acme", "stake": "0"}

bid := {"gate": "bid", "need": need, "ballot": {"cost": "900"}, "standing": standing}

result := {
	"gate": "commit",
	"need": need,
	"ballot": {"cost": "900"},
	"standing": standing,
	"committee": [judge("one"), judge("two")],
	"usage": {"messages": 12, "updates": 0, "claims": 1},
	"commit": {"outputs": [cid], "telemetry": {"tokens": 0, "cost": "900", "exitStatus": 0, "zone": "ch"}},
}

judge(org) := {"did": org, "standing": object.union(standing, {"org": org})}

rules(what) := {rule | some text in strict.decision.reasons with input as what; rule := split(text, ":")[0]}

but(what, patch) := object.union(what, patch)

test_what_keeps_the_rules_passes if {
	strict.decision == {"allow": true, "reasons": []} with input as bid
	strict.decision == {"allow": true, "reasons": []} with input as result
}

test_other_gates_are_denied if {
	rules({"gate": "message"}) == {"gate"}
	rules({}) == {"gate"}
}

test_what_is_missing_is_denied if {
	rules({"gate": "bid"}) == {"class", "cost", "role", "zone", "tag", "org"}
	not strict.decision.allow with input as {"gate": "commit"}
}

test_bids if {
	rules(but(bid, {"need": {"verifyBounty": "51"}})) == {"bounty"}
	strict.decision.allow with input as but(bid, {"need": {"verifyBounty": "500", "taskClass": "open", "windows": {"challengeMs": 60000}}})
	rules(but(bid, {"need": {"windows": {"leaseTtlMs": 60001}}})) == {"lease"}
	rules(but(bid, {"need": {"windows": {"challengeMs": 499}}})) == {"challenge-window"}
	rules(but(bid, {"ballot": {"cost": "1001"}})) == {"cost"}
	rules(but(bid, {"standing": {"roles": ["verifier"]}})) == {"role"}
	rules(but(bid, {"standing": {"zone": "us"}})) == {"zone"}
	rules(but(bid, {"standing": {"tags": []}})) == {"tag"}
	rules(but(bid, {"standing": {"org": ""}})) == {"org"}
	rules(but(bid, {"need": {"taskClass": "guesswork"}})) == {"class"}
}

test_results if {
	rules(but(result, {"commit": {"telemetry": {"exitStatus": 1}}})) == {"exit-status"}
	rules(but(result, {"commit": {"outputs": []}})) == {"outputs"}
	rules(but(result, {"commit": {"telemetry": {"cost": "901"}}})) == {"cost"}
	rules(but(result, {"commit": {"telemetry": {"tokens": 1}}})) == {"tokens"}
	rules(but(result, {"commit": {"telemetry": {"zone": ""}}})) == {"zone"}
	rules(but(result, {"usage": {"messages": 201, "claims": 3, "updates": 17}})) == {"messages", "claims", "updates"}
}

test_committees if {
	rules(but(result, {"committee": [judge("one"), judge("one")]})) == {"committee-org"}
	rules(but(result, {"committee": [{"did": "a", "standing": null}, judge("")]})) == {"committee-org"}
	rules(but(result, {"committee": [judge("acme")]})) == {"committee-of-worker"}
	rules(but(result, {"committee": []})) == {"committee"}
}
