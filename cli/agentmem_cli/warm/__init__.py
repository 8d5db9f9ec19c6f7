"""A process that stays and answers commands at once; nothing depends on it.

`client` is what every command asks first, `supervisor` owns the socket and the worker processes, and a `worker` runs
one command at a time on the streams of whoever asked.
"""
