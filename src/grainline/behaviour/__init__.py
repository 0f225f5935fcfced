"""Behaviour: a party's own event files become features, each defined once, in a batch, for one person, or on Spark.

Runs alone where the data lies: it imports nothing of ours but `kit`.
"""
