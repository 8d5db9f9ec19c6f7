"""The kinds of memory, one file each."""
