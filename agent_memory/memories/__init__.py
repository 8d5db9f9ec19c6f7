"""The six kinds of memory, one file each."""
