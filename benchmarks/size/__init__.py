"""How search keeps up as a memory grows from ten thousand to a million."""
