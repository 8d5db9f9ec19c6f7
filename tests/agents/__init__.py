"""The laboratory: real coding agents, offline, with a stand-in for the model, and `agentmem` as their memory.

`make agents` runs it. An agent is started as its user starts it, with an empty home and the entry that
`agentmem mcp --print` gives. It talks to a server on this machine that answers from a script and keeps each request,
so a test can say what reached the model: definitions, instructions, results, errors.
"""
