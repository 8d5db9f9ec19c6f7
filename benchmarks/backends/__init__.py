"""What each backend finds and how fast it is, on real servers started for the run."""
