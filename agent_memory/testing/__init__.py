"""Conformance suites: what every storage backend and every embedder must do."""

import pytest

# Failing tests of a suite then show the values that they compared, wherever the suite is inherited.
pytest.register_assert_rewrite("agent_memory.testing.store", "agent_memory.testing.embedder")
