"""A simulated town and simulated partners over real HTTP, so that the whole platform runs on one machine.

Nobody here exists: names begin with 测试, ids have a region and cards an issuer that are assigned to nobody.
"""
