package base

# Whether a proposal may be decided for its NEED: asked by each verifier before it attests. See also roles and terms.

bid_objections contains reason("bid-standing", ["standing"]) if not is_object(at(["standing"]))

bid_objections contains reason("bid-above-budget", ["ballot", "cost"]) if not amount_at_most(at(["ballot", "cost"]), at(["need", "budget"]))

# Whoever wants the work done does not pay itself for it, except alone.
bid_objections contains reason("bid-of-requester", ["sender"]) if {
	at(["sender"]) == at(["requester"])
	at(["need", "solo"]) != true
}
