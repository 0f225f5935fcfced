"""Who may be offered a line: the monthly whitelist and evaluation, where they leave a member, and what would help.

Owns the whitelist with its policy (`policy.toml`), and evaluations. It invites; what is offered to the invited is
underwriting's.
"""

from grainline.invitation.api import router
from grainline.invitation.policy import Policy, policy_for
from grainline.invitation.refreshing import refresh
from grainline.invitation.rule import Evaluation, evaluate
from grainline.invitation.standing import Standing, advice_for, in_force, standing
from grainline.invitation.store import MonthlyEvaluation, add_evaluations, latest, latest_of_all
from grainline.invitation.whitelist_store import Outcome, Refresh, outcomes_of

__all__ = [
    "Evaluation",
    "MonthlyEvaluation",
    "Outcome",
    "Policy",
    "Refresh",
    "Standing",
    "add_evaluations",
    "advice_for",
    "evaluate",
    "in_force",
    "latest",
    "latest_of_all",
    "outcomes_of",
    "policy_for",
    "refresh",
    "router",
    "standing",
]
