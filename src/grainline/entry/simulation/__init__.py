"""A simulated stretch of a lender's life: random lives on the real platform, proved after every day (`run.simulate`).

PostgreSQL, the sandbox's rail and SMS over HTTP, the worker's own code. Whatever is chance is drawn from the seed, and
the clock stands still between the moments of a day, so that the same seed comes to the same books (`books.digest`),
whoever is killed and whatever the rail loses on the way.
"""
