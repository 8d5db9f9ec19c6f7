"""The local-first memory database for AI agents."""
