package base_test

import data.base

# Each bound of a field, written down a second time: the value at either end passes, the next one beyond and a missing one do not. Other rules may object
# to what is beside the field; only the rule of the field is looked at.

day := 86400000

# Numbers, and counts of characters or items: rule, verb, path below the payload, kind, least, most.
bounds := [
	["need-slot", "NEED", ["slot"], "text", 1, 256],
	["need-k-plan", "NEED", ["kPlan"], "number", 1, 64],
	["need-k-result", "NEED", ["kResult"], "number", 1, 64],
	["need-requires", "NEED", ["requires"], "list", 0, 32],
	["need-produces", "NEED", ["produces"], "list", 0, 32],
	["need-inputs", "NEED", ["inputs"], "list", 0, 128],
	["need-expires-at", "NEED", ["expiresAt"], "number", 1000000000000, 4102444800000],
	["form-k-plan", "FORM", ["kPlan"], "number", 1, 64],
	["form-k-result", "FORM", ["kResult"], "number", 1, 64],
	["form-candidates", "FORM", ["candidates"], "list", 1, 64],
	["form-precision", "FORM", ["precisionMs"], "number", 1, 60000],
	["ballot-eta", "PROPOSE", ["ballot", "etaMs"], "number", 0, day],
	["propose-patch", "PROPOSE", ["patch"], "list", 0, 128],
	["propose-shards", "PROPOSE", ["shardDependencies"], "list", 0, 64],
	["claim-lease", "CLAIM", ["leaseTtlMs"], "number", 100, day],
	["claim-eta", "CLAIM", ["etaMs"], "number", 0, day],
	["heartbeat-progress", "HEARTBEAT", ["progress"], "number", 0, 100],
	["yield-reason", "YIELD", ["reason"], "text", 0, 1024],
	["plan-facts", "UPDATE_PLAN", ["facts"], "list", 1, 128],
	["commit-outputs", "COMMIT", ["outputs"], "list", 0, 128],
	["commit-tool", "COMMIT", ["telemetry", "tool"], "text", 0, 1024],
	["commit-model", "COMMIT", ["telemetry", "model"], "text", 0, 1024],
	["commit-zone", "COMMIT", ["telemetry", "zone"], "text", 0, 128],
	["challenge-evidence", "CHALLENGE", ["proof", "evidence"], "list", 0, 16],
	["manifest-capabilities", "MANIFEST", ["capabilities"], "list", 0, 64],
	["manifest-roles", "MANIFEST", ["roles"], "list", 0, 4],
	["manifest-tags", "MANIFEST", ["tags"], "list", 0, 16],
	["manifest-zone", "MANIFEST", ["zone"], "text", 0, 128],
	["manifest-org", "MANIFEST", ["org"], "text", 0, 128],
	["standing-zone", "ATTEST", ["standing", "zone"], "text", 0, 128],
	["standing-org", "ATTEST", ["standing", "org"], "text", 0, 128],
]

# Credits, from none to the most of one field: rule, verb, path below the payload.
amounts := [
	["need-budget", "NEED", ["budget"]],
	["ballot-cost", "PROPOSE", ["ballot", "cost"]],
	["ballot-bond", "PROPOSE", ["ballot", "bond"]],
	["claim-cost", "CLAIM", ["cost"]],
	["commit-bounty", "COMMIT", ["verifyBounty"]],
	["commit-cost", "COMMIT", ["telemetry", "cost"]],
	["challenge-bond", "CHALLENGE", ["bond"]],
	["manifest-price", "MANIFEST", ["price"]],
	["manifest-stake", "MANIFEST", ["stake"]],
	["standing-stake", "ATTEST", ["standing", "stake"]],
]

# Windows and lease of a NEED in ms, by task class: rule, field, least, most of a deterministic task, most of an open one.
windows_of_class := [
	["need-lease", "leaseTtlMs", 100, 3600000, day],
	["need-bid-window", "bidMs", 0, 21600000, day],
	["need-verify-window", "verifyMs", 1, 21600000, day],
	["need-seal-window", "sealMs", 0, 21600000, day],
	["need-reveal-window", "revealMs", 1, 21600000, day],
	["need-challenge-window", "challengeMs", 1, 21600000, day],
]

# What the worker may have used, by task class, and the telemetry of its run: rule, path, least, most of a deterministic task, most of an open one.
bounds_of_result := [
	["messages", ["usage", "messages"], "number", 0, 10000, 20000],
	["claims", ["usage", "claims"], "number", 0, 16, 64],
	["updates", ["usage", "updates"], "number", 0, 512, 512],
	["epochs", ["epoch"], "number", 0, 3, 3],
	["exit-status", ["commit", "telemetry", "exitStatus"], "number", 0, 0, 0],
	["wall-time", ["commit", "telemetry", "wallMs"], "number", 0, day, day],
	["tokens", ["commit", "telemetry", "tokens"], "number", 0, 1000000000, 1000000000],
	["outputs", ["commit", "outputs"], "list", 1, 128, 128],
	["committee", ["committee"], "list", 1, 64, 64],
]

under([a], value) := {a: value}

under([a, b], value) := {a: {b: value}}

under([a, b, c], value) := {a: {b: {c: value}}}

letters := concat("", ["x" | some _ in numbers.range(1, 1025)])

items := ["x" | some _ in numbers.range(1, 129)]

of_size("number", size) := size

of_size("text", size) := substring(letters, 0, size)

of_size("list", size) := array.slice(items, 0, size)

of_size("amount", size) := format_int(size, 10)

# All rules of the tables, with the kind and the ends of what each lets pass.
checks contains {"rule": rule, "verb": verb, "path": path, "kind": kind, "low": low, "high": high} if {
	some [rule, verb, path, kind, low, high] in bounds
}

checks contains {"rule": rule, "verb": verb, "path": path, "kind": "amount", "low": 0, "high": 1000000000000000} if {
	some [rule, verb, path] in amounts
}

# A message of the verb with each field of the tables where `end` says, moved by so much. What then objects, of the rules of the tables.
objecting(verb, end, move) := rules(what) & names_of(verb) if {
	parts := [under(check.path, of_size(check.kind, check[end] + move)) | some check in checks; check.verb == verb]
	what := message(verb, object.union_n(parts))
}

names_of(verb) := {check.rule | some check in checks; check.verb == verb}

verbs := {check.verb | some check in checks}

test_either_end_of_each_field_passes if {
	every verb in verbs {
		objecting(verb, "low", 0) == set()
		objecting(verb, "high", 0) == set()
	}
}

test_what_is_above_each_field_is_denied if {
	every verb in verbs {
		objecting(verb, "high", 1) == names_of(verb)
	}
}

# What no count can be is no value at all.
test_what_is_below_each_field_is_denied if {
	every verb in verbs {
		least := {check.rule | some check in checks; check.verb == verb; not is_count_of_none(check)}
		objecting(verb, "low", -1) & least == least
	}
}

is_count_of_none(check) if {
	check.kind in {"text", "list"}
	check.low == 0
}

test_what_is_missing_is_denied if {
	every verb in verbs {
		parts := [under(check.path, null) | some check in checks; check.verb == verb]
		rules(message(verb, object.union_n(parts))) & names_of(verb) == names_of(verb)
	}
}

# The rules of windows that object when each is as long as the table says, and so much longer.
objecting_windows(class, column, move) := rules(of_class(class, {"windows": values})) & window_rules if {
	values := {field: length |
		some bound in windows_of_class
		field := bound[1]
		length := bound[column] + move
	}
}

window_rules := {rule | some [rule, _, _, _, _] in windows_of_class}

test_windows_of_each_class if {
	every class, column in {"deterministic": 3, "open": 4} {
		objecting_windows(class, 2, 0) == set()
		objecting_windows(class, 2, -1) == window_rules
		objecting_windows(class, column, 0) == set()
		objecting_windows(class, column, 1) == window_rules
	}
}

# The rules of results that object when each value is as the table says, and so much more.
objecting_results(class, column, move) := rules(object.union_n(array.concat([result, {"need": {"taskClass": class}}], parts))) & result_rules if {
	parts := [under(bound[1], of_size(bound[2], bound[column] + move)) | some bound in bounds_of_result]
}

result_rules := {rule | some [rule, _, _, _, _, _] in bounds_of_result}

test_bounds_of_results_of_each_class if {
	every class, column in {"deterministic": 4, "open": 5} {
		objecting_results(class, 3, 0) == set()
		objecting_results(class, column, 0) == set()
		objecting_results(class, column, 1) == result_rules
	}
	missing := [under(bound[1], null) | some bound in bounds_of_result]
	rules(object.union_n(array.concat([result], missing))) & result_rules == result_rules
}

about(patch) := rules(patched(message("RELEASE", {}), patch))

test_bounds_of_every_message if {
	about({"notAfter": 1000000000000, "lamport": 0, "refs": []}) == set()
	about({"notAfter": 4102444800000, "lamport": 9007199254740991, "refs": array.slice(items, 0, 64)}) == set()
	about({"notAfter": 999999999999, "lamport": -1, "refs": null}) == {"not-after", "lamport", "refs"}
	about({"notAfter": 4102444800001, "lamport": 9007199254740992, "refs": array.slice(items, 0, 65)}) == {"not-after", "lamport", "refs"}
}

# Whoever adds a check to the policy adds it here.
test_every_check_is_written_down_here if {
	of_tables := {check.rule | some check in checks}
	{check.rule | some verb; some check in base.checks_of_verb[verb]} - of_tables == set()
	{check.rule | some check in base.every_standing} - of_tables == set()
	{check.rule | some check in base.checks_of_class.open} == window_rules | {"need-bounty"}
	{check.rule | some check in base.commit_checks} - result_rules == set()
}
