"""Every reason there is can be told and has its advice; the newest evaluation is the one that counts."""

from dataclasses import replace
from datetime import date

import pytest

from grainline.invitation import MonthlyEvaluation, add_evaluations, advice_for, latest, standing
from grainline.invitation.standing import ADVICE, REASONS
from grainline.kit.db import transaction
from grainline.scoring.reasons import REASONS as MODEL_REASONS
from grainline.underwriting.api import TEXTS

EVALUATION = MonthlyEvaluation(
    member_id=1,
    product="weilidai",
    month=date(2026, 1, 1),
    pd_e6=50_000,
    invited=True,
    tier="prime",
    line_fen=5_000_000,
    rate_e8=30_000,
    reasons=("line_by_capacity",),
    model="test",
    evaluated_at=date(2026, 1, 1),
    expires_on=date(2026, 3, 2),
)


def test_every_reason_has_a_text_in_both_languages():
    assert set(MODEL_REASONS) | set(REASONS) <= set(TEXTS)
    for code, text in TEXTS.items():
        assert text["zh"].strip(), code
        assert text["en"].strip(), code


def test_every_reason_against_somebody_has_an_advice():
    """Who is not invited is told what helps, whatever the model's reason was; an expired invitation comes again."""
    for code in MODEL_REASONS:
        assert advice_for((code,)), code
    assert set(ADVICE) <= set(TEXTS) | {"risk_above_limit"}


def test_advice_is_given_once_in_the_order_of_the_reasons():
    reasons = ("high_utilisation", "recent_delay", "little_headroom", "repeated_delays")
    assert list(advice_for(reasons)) == ["use_less", "pay_on_time"]


def test_last_day_of_an_invitation_is_its_last():
    assert standing(EVALUATION, date(2026, 3, 2)).invited
    after = standing(EVALUATION, date(2026, 3, 3))
    assert (after.invited, after.offer, after.reasons) == (False, None, ("invitation_expired",))


@pytest.mark.anyio
async def test_newest_month_counts_and_a_month_is_evaluated_once(stage):
    february = replace(
        EVALUATION,
        month=date(2026, 2, 1),
        evaluated_at=stage.clock(),
        invited=False,
        tier=None,
        line_fen=None,
        rate_e8=None,
        expires_on=None,
        reasons=("recent_delay",),
    )
    january = replace(EVALUATION, evaluated_at=stage.clock())
    async with transaction(stage.platform.pool) as tx:
        await add_evaluations(tx, [february, january])
        await add_evaluations(tx, [replace(february, reasons=("small_payments",))])
        found = await latest(tx, member_id=1, product="weilidai")
    assert found == february
