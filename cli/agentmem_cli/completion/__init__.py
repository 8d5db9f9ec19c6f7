"""Completions for four shells, made from the tree of commands, and the values that only the store knows."""
