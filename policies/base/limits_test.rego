package base_test

import data.base

# Classes, terms, budgets and diversity.

of_class(class, patch) := message("NEED", object.union(patched(need, {"taskClass": class}), patch))

test_each_class_has_bounds_of_its_own if {
	hours := {"windows": {"leaseTtlMs": 3600001, "verifyMs": 21600001, "challengeMs": 21600001}}
	rules(of_class("deterministic", hours)) == {"need-lease", "need-verify-window", "need-challenge-window"}
	base.decision.allow with input as of_class("open", hours)
	rules(of_class("open", {"windows": {"leaseTtlMs": 86400001}})) == {"need-lease"}
	rules(of_class("guesswork", {})) == {"need-class"}
}

test_each_class_has_a_cap_of_its_bounty if {
	dear := {"budget": "1000000000000000", "verifyBounty": "1000000000001"}
	rules(of_class("deterministic", dear)) == {"need-bounty"}
	base.decision.allow with input as of_class("open", dear)
	base.decision.allow with input as of_class("deterministic", patched(dear, {"verifyBounty": "1000000000000"}))
}

test_terms_have_bounds if {
	base.decision.allow with input as message("NEED", strict_need)
	rules(message("NEED", patched(need, {"terms": patched(terms, {"perOrg": 0})}))) == {"terms-per-org"}
	rules(message("NEED", patched(need, {"terms": patched(terms, {"perZone": 65})}))) == {"terms-per-zone"}
	rules(message("NEED", patched(need, {"terms": patched(terms, {"zones": ["eu", ""]})}))) == {"terms-zones"}
}

under_terms(patch) := object.union(patched(result, {"need": strict_need}), patch)

work_in(zone, tokens) := {"commit": {"telemetry": {"zone": zone, "tokens": tokens}}}

test_work_follows_the_terms if {
	base.decision.allow with input as under_terms(work_in("eu", 500))
	rules(under_terms(work_in("mars", 500))) == {"zone"}
	rules(under_terms(work_in("eu", 501))) == {"tokens-above-terms"}
	base.decision.allow with input as object.union(result, work_in("mars", 501))
}

test_the_bounty_is_that_of_the_need if rules(with_commit({"verifyBounty": "99"})) == {"bounty-other"}

used(patch) := patched(result, {"usage": patched(usage, patch)})

test_budgets_of_a_class if {
	rules(used({"messages": 10001})) == {"messages"}
	rules(used({"claims": 17})) == {"claims"}
	rules(used({"updates": 513})) == {"updates"}
	rules(patched(result, {"epoch": 4})) == {"epochs"}
	rules(object.remove(result, ["usage"])) == {"messages", "claims", "updates"}
	open_task := patched(need, {"taskClass": "open"})
	base.decision.allow with input as patched(used({"messages": 20000, "claims": 64}), {"need": open_task})
	rules(patched(result, {"need": patched(need, {"taskClass": "guesswork"})})) == {"task-class"}
}

judged_by(committee) := object.union(patched(result, {"need": strict_need, "committee": committee}), work_in("eu", 0))

test_a_committee_is_diverse if {
	base.decision.allow with input as judged_by([member("a", "one", "eu"), member("b", "two", "eu")])
	rules(judged_by([member("a", "one", "eu"), member("b", "one", "us")])) == {"committee-org"}
	rules(judged_by([{"did": "a", "standing": null}, member("b", "", "us")])) == {"committee-org"}
	rules(judged_by([member("a", "acme", "eu")])) == {"committee-of-worker"}
	rules(judged_by([])) == {"committee"}
	rules(judged_by([member(worker, "one", "eu")])) == {"committee-related"}
	rules(judged_by([member(requester, "one", "eu")])) == {"committee-related"}
}

test_zones_of_a_committee_are_capped if {
	zoned := {"need": patched(need, {"terms": patched(terms, {"perOrg": null, "perZone": 1})})}
	rules(patched(judged_by([member("a", "one", "eu"), member("b", "one", "eu")]), zoned)) == {"committee-zone"}
	base.decision.allow with input as patched(judged_by([member("a", "acme", "eu"), member("b", "acme", "us")]), zoned)
}

test_alone_one_judges_oneself if {
	alone := {"need": patched(need, {"solo": true}), "requester": worker, "committee": [member(worker, "", "")]}
	base.decision.allow with input as patched(result, alone)
}
