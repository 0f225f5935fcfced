"""Product packs: what a product may say, read from TOML and validated.

Owns the schema of a pack. A product is configuration only; a rule that cannot be said in a pack is a change here.
"""

from grainline.products.admission import Admission, AdmissionKind, ScoreScale
from grainline.products.campaign import Audience, Campaign
from grainline.products.choice import ChosenPack, ThePacks, UnknownProduct, chosen
from grainline.products.load import BadPack, load_pack, load_packs
from grainline.products.pack import Pack, Purpose, RateMethod
from grainline.products.part import Text
from grainline.products.pricing import Pricing, PricingMethod
from grainline.products.rules import (
    AllocateBy,
    BusinessDayConvention,
    Component,
    FirstPeriod,
    Prepayment,
    Remainder,
    RoundedPer,
    Rounding,
    Rules,
    Shape,
    YearBasis,
)
from grainline.products.tier import Tier

__all__ = [
    "Admission",
    "AdmissionKind",
    "AllocateBy",
    "Audience",
    "BadPack",
    "BusinessDayConvention",
    "Campaign",
    "ChosenPack",
    "Component",
    "FirstPeriod",
    "Pack",
    "Prepayment",
    "Pricing",
    "PricingMethod",
    "Purpose",
    "RateMethod",
    "Remainder",
    "RoundedPer",
    "Rounding",
    "Rules",
    "ScoreScale",
    "Shape",
    "Text",
    "ThePacks",
    "Tier",
    "UnknownProduct",
    "YearBasis",
    "chosen",
    "load_pack",
    "load_packs",
]
