package base

# What the input has at a path, or null. Rules must ask this way: in `not f(input.a)` a missing `input.a` makes the whole
# rule undefined, so that it would not object.
at(path) := object.get(input, path, null)

# Whether a list of the input has the item.
has(path, item) if item in at(path)

is_given(value) if value != null

is_same(path, other) if {
	is_given(at(path))
	at(path) == at(other)
}

# An amount is a decimal string of a whole number below 2^63. Shorter is smaller; of equal length, text order is number
# order. No conversion to a number, so no precision is lost.
amount_at_most(a, b) if {
	is_amount(a)
	is_amount(b)
	count(a) < count(b)
}

amount_at_most(a, b) if {
	is_amount(a)
	is_amount(b)
	count(a) == count(b)
	a <= b
}

is_amount("0")

is_amount(text) if {
	is_string(text)
	count(text) in numbers.range(1, 19)
	not startswith(text, "0")
	trim(text, "0123456789") == ""
}

amount_within(value, low, high) if {
	amount_at_most(low, value)
	amount_at_most(value, high)
}

number_within(value, low, high) if {
	is_number(value)
	value >= low
	value <= high
}

list_within(value, low, high) if {
	is_array(value)
	number_within(count(value), low, high)
}

count_in(value, counts) if {
	is_array(value)
	count(value) in counts
}

text_within(value, low, high) if {
	is_string(value)
	number_within(count(value), low, high)
}

# A check names a rule, a path into the input, and the bounds of what must be there.
passes(check) if {
	check.kind == "amount"
	amount_within(at(check.path), check.min, check.max)
}

passes(check) if {
	check.kind == "number"
	number_within(at(check.path), check.min, check.max)
}

passes(check) if {
	check.kind == "list"
	list_within(at(check.path), check.min, check.max)
}

passes(check) if {
	check.kind == "text"
	text_within(at(check.path), check.min, check.max)
}

amount(rule, path, low, high) := {"rule": rule, "kind": "amount", "path": path, "min": low, "max": high}

number(rule, path, low, high) := {"rule": rule, "kind": "number", "path": path, "min": low, "max": high}

list(rule, path, low, high) := {"rule": rule, "kind": "list", "path": path, "min": low, "max": high}

text(rule, path, low, high) := {"rule": rule, "kind": "text", "path": path, "min": low, "max": high}

# "rule: what it saw". Long values are cut, lists are shown by their length.
reason(rule, path) := concat(": ", [rule, seen(at(path))])

seen(value) := substring(json.marshal(value), 0, 80) if not is_array(value)

seen(value) := concat(" ", [json.marshal(count(value)), "items"]) if is_array(value)
