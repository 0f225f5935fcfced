"""The outside world: each partner has a port (what we ask), a wire (how it is written) and an adapter.

No answer is ever taken for a yes: what cannot be reached, read or trusted is a refusal of kind UNAVAILABLE.
"""
