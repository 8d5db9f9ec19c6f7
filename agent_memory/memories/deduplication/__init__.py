"""Finding memories that say the same, and merging them."""
