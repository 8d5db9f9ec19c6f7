"""Moving memories: export to a file, import from one, and migration from store to store."""
