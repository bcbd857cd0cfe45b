package base_test

import data.base

bid := {
	"gate": "bid",
	"thread": cid,
	"requester": requester,
	"epoch": 0,
	"need": need,
	"proposal": cid,
	"sender": worker,
	"ballot": {"cost": "900", "etaMs": 1000, "bond": "10"},
	"standing": standing,
	"patch": [],
	"shardDependencies": [],
}

strict_bid(patch) := patched(bid, {"need": strict_need, "standing": patched(standing, patch)})

test_a_good_bid_passes if {
	base.decision == {"allow": true, "reasons": []} with input as bid
	base.decision.allow with input as strict_bid({})
}

test_a_bid_of_nobody_is_denied if {
	rules(patched(bid, {"standing": null})) == {"bid-standing", "bid-role"}
	rules({"gate": "bid"}) == {"bid-standing", "bid-role", "bid-above-budget", "bid-of-requester"}
}

test_a_bid_of_no_worker_is_denied if {
	rules(patched(bid, {"standing": patched(standing, {"roles": ["verifier"]})})) == {"bid-role"}
}

test_a_bid_above_the_budget_is_denied if {
	rules(patched(bid, {"ballot": patched(bid.ballot, {"cost": "1001"})})) == {"bid-above-budget"}
}

test_a_requester_does_not_bid_except_alone if {
	own := patched(bid, {"requester": worker})
	rules(own) == {"bid-of-requester"}
	base.decision.allow with input as patched(own, {"need": patched(need, {"solo": true})})
}

test_a_bid_from_elsewhere_is_denied if {
	rules(strict_bid({"zone": "mars"})) == {"bid-zone"}
	rules(strict_bid({"zone": ""})) == {"bid-zone"}
	base.decision.allow with input as strict_bid({"zone": "us"})
	base.decision.allow with input as patched(bid, {"standing": patched(standing, {"zone": "mars"})})
}

test_a_bid_without_a_tag_is_denied if {
	rules(strict_bid({"tags": ["cheap"]})) == {"bid-tag"}
	base.decision.allow with input as strict_bid({"tags": ["cheap", "vetted"]})
}

test_roles_of_verbs if {
	proposal := {"need": cid, "patch": [], "ballot": bid.ballot, "shardDependencies": [], "standing": standing}
	base.decision.allow with input as message("PROPOSE", proposal)
	verifier := patched(standing, {"roles": ["verifier"]})
	rules(message("PROPOSE", patched(proposal, {"standing": verifier}))) == {"role"}
	every verb in {"ATTEST_PLAN", "ATTEST", "REJECT"} {
		rules(message(verb, {"standing": standing})) == {"role"}
		base.decision.allow with input as message(verb, {"standing": verifier})
		base.decision.allow with input as message(verb, {"standing": null})
	}
}

test_what_a_standing_says_has_bounds if {
	verifier := patched(standing, {"roles": ["verifier"]})
	long := concat("", [x | some _ in numbers.range(1, 129); x := "x"])
	rules(message("ATTEST", {"standing": patched(verifier, {"org": long})})) == {"standing-org"}
	rules(message("ATTEST", {"standing": patched(verifier, {"zone": long})})) == {"standing-zone"}
	rules(message("ATTEST", {"standing": patched(verifier, {"stake": "1.5"})})) == {"standing-stake"}
}

test_a_manifest_of_a_worker_says_at_what if {
	manifest := {
		"capabilities": ["text/upper"],
		"roles": ["worker", "voter"],
		"tags": [],
		"zone": "",
		"org": "",
		"price": "1",
		"stake": "0",
		"agent": "can-swarm",
	}
	base.decision.allow with input as message("MANIFEST", manifest)
	none := patched(manifest, {"capabilities": []})
	rules(message("MANIFEST", none)) == {"manifest-role"}
	base.decision.allow with input as message("MANIFEST", patched(none, {"roles": ["voter"]}))
	rules(message("MANIFEST", patched(manifest, {"tags": numbers.range(1, 17)}))) == {"manifest-tags"}
	rules(message("MANIFEST", object.remove(manifest, ["org"]))) == {"manifest-org"}
}
