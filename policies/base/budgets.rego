package base

# What the worker had used when it committed, counted in the log. The bounds are those of the task's class.

commit_objections contains reason("task-class", ["need", "taskClass"]) if not classes[at(["need", "taskClass"])]

commit_objections contains reason(rule, path) if {
	bounds := classes[input.need.taskClass]
	some rule, path in {
		"messages": ["usage", "messages"],
		"updates": ["usage", "updates"],
		"claims": ["usage", "claims"],
	}
	not number_within(at(path), 0, bounds[rule])
}

commit_objections contains reason("epochs", ["epoch"]) if {
	bounds := classes[input.need.taskClass]
	not number_within(at(["epoch"]), 0, bounds.epochs - 1)
}
