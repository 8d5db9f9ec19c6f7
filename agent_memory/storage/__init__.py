"""Keeping memories: the contract that every store fills, and one file or folder per backend."""
