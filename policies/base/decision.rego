# METADATA
# title: Base capsule
# description: >-
#   What every node asks of every message, and what verifiers ask of every result. Default deny: a message passes only
#   when its gate is known and no rule objects, and a rule objects to whatever it cannot find.
package base

# METADATA
# entrypoint: true
decision := {"allow": allow, "reasons": sort(deny)}

default allow := false

allow if {
	input.gate in {"message", "commit"}
	count(deny) == 0
}

deny contains reason("gate", ["gate"]) if not at(["gate"]) in {"message", "commit"}
