"""How well memories are found: public question sets through the library's own `search`, beside plain baselines.

`python -m benchmarks.recall PATH ...` reads the authors' own files; `docs/benchmarks.md` has the protocol.
"""
