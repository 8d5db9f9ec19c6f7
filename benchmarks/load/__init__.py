"""Loads a server of your own with agents that write and search, and measures what it bears."""
