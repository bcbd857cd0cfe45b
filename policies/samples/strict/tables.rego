package strict

# The house rules as data. A task of no known class has no bounds, and is denied for that alone.

zones := {"ch", "eu"}

tag := "vetted"

classes := {
	"deterministic": {"bounty": "50", "lease_ms": 60000, "challenge_ms": 500, "tokens": 0, "messages": 200, "claims": 2, "updates": 16},
	"open": {"bounty": "500", "lease_ms": 600000, "challenge_ms": 60000, "tokens": 100000, "messages": 2000, "claims": 3, "updates": 64},
}

bounds := classes[input.need.taskClass]

# Verifiers of one org that may judge one proposal.
per_org := 1
