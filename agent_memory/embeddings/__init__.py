"""Turning text into vectors: one file per embedder behind one contract."""
