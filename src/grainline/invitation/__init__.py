"""Who may be offered a line: the monthly evaluation, where it leaves a member, and what would help.

Owns evaluations. It invites; what is offered to the invited is underwriting's.
"""

from grainline.invitation.rule import Evaluation, evaluate
from grainline.invitation.standing import Standing, advice_for, standing
from grainline.invitation.store import MonthlyEvaluation, add_evaluations, latest, latest_of_all

__all__ = [
    "Evaluation",
    "MonthlyEvaluation",
    "Standing",
    "add_evaluations",
    "advice_for",
    "evaluate",
    "latest",
    "latest_of_all",
    "standing",
]
