"""The rules of a decision: decision tables that zen-engine runs, on facts that were checked before it sees them.

Owns the form of a rules file, what makes a table complete, what every product's rules must keep, and running them.
"""

from grainline.underwriting.rules.demands import misfits
from grainline.underwriting.rules.facts import Fact, FactKind, RuleInputInvalid, RuleInputMissing
from grainline.underwriting.rules.many import Many, run_many
from grainline.underwriting.rules.reading import BadRules, Rules, load_rules
from grainline.underwriting.rules.run import RowHit, RulesOutcome, Trace, run
from grainline.underwriting.rules.table import Hit, Result, Row, Table

__all__ = [
    "BadRules",
    "Fact",
    "FactKind",
    "Hit",
    "Many",
    "Result",
    "Row",
    "RowHit",
    "RuleInputInvalid",
    "RuleInputMissing",
    "Rules",
    "RulesOutcome",
    "Table",
    "Trace",
    "load_rules",
    "misfits",
    "run",
    "run_many",
]
