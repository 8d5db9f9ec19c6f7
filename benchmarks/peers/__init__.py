"""Other programs side by side with this one, in one run, where they can be installed."""
