"""Documents as they come and change: found on disk, read, cut where they were cut before, and brought up to date."""
