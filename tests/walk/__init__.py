"""A walk over the public API: random steps, a plain model beside them, and laws that hold after every step.

`verbs` reads from the API's signatures what there is to do, and `values` makes the arguments from `pools`. `mixing`
chooses what a walk mostly does, `machine` draws its steps, and `course` takes them: in the `worker`, a process that
holds the store and may be killed (`processes`). `model` knows what the store should hold, `laws` compare the two.
What fails is made shorter (`shortening`) and printed as a program (`script`). `grounds` are the backends.
"""
