package strict

# Before the work: is the NEED within the house rules, and is this the right one to do it?

bid_objections contains reason("class", ["need", "taskClass"]) if not bounds

bid_objections contains reason("bounty", ["need", "verifyBounty"]) if not at_most(at(["need", "verifyBounty"]), bounds.bounty)

bid_objections contains reason("lease", ["need", "windows", "leaseTtlMs"]) if {
	not within(at(["need", "windows", "leaseTtlMs"]), 100, bounds.lease_ms)
}

bid_objections contains reason("challenge-window", ["need", "windows", "challengeMs"]) if {
	not within(at(["need", "windows", "challengeMs"]), bounds.challenge_ms, 86400000)
}

bid_objections contains reason("cost", ["ballot", "cost"]) if not at_most(at(["ballot", "cost"]), at(["need", "budget"]))

bid_objections contains reason("role", ["standing", "roles"]) if not "worker" in at(["standing", "roles"])

bid_objections contains reason("zone", ["standing", "zone"]) if not at(["standing", "zone"]) in zones

bid_objections contains reason("tag", ["standing", "tags"]) if not tag in at(["standing", "tags"])

# Those who judge must be tellable from those who work.
bid_objections contains reason("org", ["standing", "org"]) if at(["standing", "org"]) in {null, ""}
