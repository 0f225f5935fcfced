"""Behaviour: a party's own event files become features, each defined once, in a batch, for one person, or on Spark.

Runs alone where the data lies: it imports nothing of ours but `kit`. Files are read by `read`, which sets aside what is
wrong; `compute` is the one kernel; `features` are the definitions, which docs/features.md lists.
"""

from grainline.behaviour.apart import apart, together
from grainline.behaviour.asked import UnknownFeatures, UnusableFiles, asked
from grainline.behaviour.events import Party
from grainline.behaviour.families import Family, Feature
from grainline.behaviour.faults import Fault
from grainline.behaviour.features import FAMILIES, all_features, features, features_by_name
from grainline.behaviour.intake import Intake, NoEvents, Report, files_of, read
from grainline.behaviour.kernel import compute

__all__ = [
    "FAMILIES",
    "Family",
    "Fault",
    "Feature",
    "Intake",
    "NoEvents",
    "Party",
    "Report",
    "UnknownFeatures",
    "UnusableFiles",
    "all_features",
    "apart",
    "asked",
    "compute",
    "features",
    "features_by_name",
    "files_of",
    "read",
    "together",
]
