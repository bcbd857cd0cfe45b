package base

# What the sender's manifest must say that it is, for the verbs that repeat the manifest. The other verbs are the
# requester's, the decided worker's or a member's by the log, which the core sees to; these come from whoever offers.
role_of_verb := {
	"PROPOSE": "worker",
	"ATTEST_PLAN": "verifier",
	"ATTEST": "verifier",
	"REJECT": "verifier",
}

message_objections contains reason("role", ["payload", "standing", "roles"]) if {
	role := role_of_verb[input.verb]
	is_object(at(["payload", "standing"]))
	not has(["payload", "standing", "roles"], role)
}

bid_objections contains reason("bid-role", ["standing", "roles"]) if not has(["standing", "roles"], "worker")

# Who works or verifies says at what.
message_objections contains reason("manifest-role", ["payload", "capabilities"]) if {
	input.verb == "MANIFEST"
	some role in {"worker", "verifier"}
	has(["payload", "roles"], role)
	not list_within(at(["payload", "capabilities"]), 1, 64)
}
