# METADATA
# title: Strict
# description: >-
#   House rules of a requester that cares where its data goes, who judges, and what it costs. A sample: take it, change the
#   tables, build it. It is asked at the bid gate and at the commit gate of the NEEDs that name it, in place of the base capsule.
package strict

decision := {"allow": count(found) == 0, "reasons": sort(found)} if found := objections

objections := bid_objections if input.gate == "bid"

objections := result_objections if input.gate == "commit"

objections := {reason("gate", ["gate"])} if not at(["gate"]) in {"bid", "commit"}

# What the input has at a path, or null.
at(path) := object.get(input, path, null)

reason(rule, path) := concat(": ", [rule, substring(json.marshal(at(path)), 0, 80)])

# Amounts are decimal text: shorter is smaller, of equal length text order is number order.
at_most(a, b) if {
	is_string(a)
	count(a) < count(b)
}

at_most(a, b) if {
	is_string(a)
	count(a) == count(b)
	a <= b
}

within(value, low, high) if {
	is_number(value)
	value >= low
	value <= high
}
