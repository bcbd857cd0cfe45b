package base

# Who may judge. The committee is those whose ATTEST_PLANs the decision counted; the group counts no more of an org or a zone than the
# NEED's terms say, and this looks again before anybody is paid.

commit_objections contains reason("committee", ["committee"]) if not list_within(at(["committee"]), 1, 64)

commit_objections contains concat(": ", [rule, seen(of_same)]) if {
	some rule, [cap, field] in {
		"committee-org": ["perOrg", "org"],
		"committee-zone": ["perZone", "zone"],
	}
	most := at(["need", "terms", cap])
	is_given(most)
	some one in at(["committee"])
	of_same := said(one, field)
	count([other | some other in input.committee; said(other, field) == of_same]) > most
}

commit_objections contains concat(": ", ["committee-of-worker", seen(org)]) if {
	is_given(at(["need", "terms", "perOrg"]))
	org := at(["standing", "org"])
	not org in {null, ""}
	some one in at(["committee"])
	said(one, "org") == org
}

commit_objections contains concat(": ", ["committee-related", seen(one.did)]) if {
	at(["need", "solo"]) != true
	some one in at(["committee"])
	one.did in {at(["sender"]), at(["requester"])}
}

# What a member of the committee says of itself; all who say nothing say the same.
said(one, field) := object.get(one, ["standing", field], "") if is_object(object.get(one, "standing", null))

said(one, _) := "" if not is_object(object.get(one, "standing", null))
