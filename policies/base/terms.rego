package base

# What a NEED's terms may ask, and what they ask of bid and result.

# A cap of none would let nobody judge.
need_objections contains reason(rule, path) if {
	some rule, path in {
		"terms-per-org": ["payload", "terms", "perOrg"],
		"terms-per-zone": ["payload", "terms", "perZone"],
	}
	is_given(at(path))
	not number_within(at(path), 1, 64)
}

need_objections contains reason("terms-zones", ["payload", "terms", "zones"]) if {
	some zone in at(["payload", "terms", "zones"])
	not text_within(zone, 1, 128)
}

bid_objections contains reason("bid-zone", ["standing", "zone"]) if not in_zones(at(["standing", "zone"]))

bid_objections contains reason("bid-tag", ["standing", "tags"]) if {
	some tag in at(["need", "terms", "tags"])
	not has(["standing", "tags"], tag)
}

commit_objections contains reason("zone", ["commit", "telemetry", "zone"]) if not in_zones(at(["commit", "telemetry", "zone"]))

commit_objections contains reason("tokens-above-terms", ["commit", "telemetry", "tokens"]) if {
	most := at(["need", "terms", "tokensMax"])
	is_given(most)
	not number_within(at(["commit", "telemetry", "tokens"]), 0, most)
}

in_zones(_) if not is_given(at(["need", "terms"]))

in_zones(_) if at(["need", "terms", "zones"]) == []

in_zones(zone) if has(["need", "terms", "zones"], zone)
