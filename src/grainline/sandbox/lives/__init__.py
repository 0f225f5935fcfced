"""The lives of the simulated town's people: hidden traits, what happens to them, and the events this leaves behind.

Owns the drawing of residents 1 to 10,000,000 and the files that the three data parties keep of them, in the form of
`behaviour/events.py`. Traits and stress cause both behaviour and default, so a score has something to learn and a truth
to be held against. docs/town.md says what is simulated; `parameters.py` has every number.
"""

from grainline.sandbox.lives.generate import Town, generate

__all__ = ["Town", "generate"]
