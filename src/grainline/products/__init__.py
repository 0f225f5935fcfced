"""Product packs: what a product may say, read from TOML and validated.

Owns the schema of a pack. A product is configuration only; a rule that cannot be said in a pack is a change here.
"""

from grainline.products.load import BadPack, load_pack, load_packs
from grainline.products.pack import Pack, Purpose, RateMethod, Rounding, Shape, Text, Tier

__all__ = [
    "BadPack",
    "Pack",
    "Purpose",
    "RateMethod",
    "Rounding",
    "Shape",
    "Text",
    "Tier",
    "load_pack",
    "load_packs",
]
