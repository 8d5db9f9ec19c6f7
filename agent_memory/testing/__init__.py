"""Conformance suites: what every storage backend and every embedder must do."""
