"""The edge: HTTP, worker, command line, settings and wiring. Only here: the clock, the environment, commits."""
