"""A walk over the public API: random steps, a plain model beside them, and laws that hold after every step.

`verbs` reads from the API's signatures what there is to do, `values` makes the arguments, `worker` is the process
that holds the store, `model` knows what the store should hold, `laws` compare the two, `machine` draws the steps,
and `script` prints a sequence that failed so that it can be pasted.
"""
