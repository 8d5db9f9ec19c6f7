"""How much a memory counts: importance and decay as pure functions."""
