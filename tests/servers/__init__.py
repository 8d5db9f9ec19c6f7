"""Real servers for the tests, each started from a wheel on a free port of this machine."""
