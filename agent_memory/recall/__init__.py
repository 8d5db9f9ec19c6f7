"""Finding memories again: nominate, score, fuse; then pack into a prompt."""
