# METADATA
# title: Base capsule
# description: >-
#   What every node asks of every message, and what verifiers ask of every bid and every result. Default deny: a question
#   passes only when its gate is known and no rule objects, and a rule objects to whatever it cannot find.
package base

# METADATA
# entrypoint: true
decision := {"allow": count(found) == 0, "reasons": sort(found)} if found := objections # Looked at once: it is computed each time.

# Only the rules of the gate that asks are looked at: messages are many.
objections := message_objections if input.gate == "message"

objections := bid_objections if input.gate == "bid"

objections := commit_objections if input.gate == "commit"

objections := {reason("gate", ["gate"])} if not at(["gate"]) in {"message", "bid", "commit"}
