package base

# The capability that entitles a sender to a verb. The core holds the same table for senders.
capability_of_verb := {
	"NEED": "swarm/need",
	"FORM": "swarm/form",
	"PROPOSE": "swarm/propose",
	"ATTEST_PLAN": "swarm/attest-plan",
	"DECIDE": "swarm/decide",
	"CLAIM": "swarm/claim",
	"HEARTBEAT": "swarm/heartbeat",
	"YIELD": "swarm/yield",
	"RELEASE": "swarm/release",
	"UPDATE_PLAN": "swarm/update-plan",
	"COMMIT": "swarm/commit",
	"ATTEST": "swarm/attest",
	"REJECT": "swarm/reject",
	"CHALLENGE": "swarm/challenge",
	"INVALIDATE": "swarm/invalidate",
	"FINALIZE": "swarm/finalize",
	"RECONCILE": "swarm/reconcile",
	"CHECKPOINT": "swarm/checkpoint",
	"MANIFEST": "swarm/manifest",
}

is_capability_of(capability, verb) if capability == capability_of_verb[verb]
