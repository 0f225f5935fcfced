"""A line's life in dates: invited, offered, borrows, pays well, raised, late, frozen, cured, reviewed, told."""

from datetime import timedelta

import pytest

from deciding_stage import cast
from grainline.kit.calendar import add_months
from line_stage import come_to, said, with_room
from stage import Borrower, Stage

pytestmark = pytest.mark.anyio


async def _history(person: Borrower) -> list[tuple[str, str | None]]:
    items = (await person.get("/line/history"))["items"]
    return [(item["kind"], item["reasons"][0]["code"]) for item in reversed(items)]


async def test_a_line_from_its_opening_to_its_cure(stage: Stage) -> None:
    await cast(stage)
    ming, whole = await with_room(stage)
    opened_on, line = stage.today(), await ming.get("/line")
    first_fen = line["limit_fen"]
    assert line["next_review_on"] == str(add_months(opened_on, 6))

    loan_id = await ming.loan(2_000, instalments=20)
    rate = (await ming.get(f"/loans/{loan_id}"))["daily_rate_percent"]
    for month in range(1, 7):
        await come_to(stage, add_months(opened_on, month))
    await stage.pass_days(1)
    await ming.sign_in()  # a session does not last so long

    # three payments on time, and then the six months: each raises by a fifth, up to what is decided
    history = await _history(ming)
    assert [kind for kind, _ in history if kind == "raised"] == ["raised", "raised"]
    asked = await stage.rows(
        "select cause, result, key from lines.reviews where member_id = %s order by asked_at", ming.member_id
    )
    assert ("on_time", "raised", "on_time/1") in asked
    assert ("six_months", "raised", f"six_months/{add_months(opened_on, 6)}") in asked
    raised_fen = (await ming.get("/line"))["limit_fen"]
    assert first_fen < raised_fen <= whole
    assert raised_fen <= first_fen * 144 // 100
    texts = said(stage, ming)
    assert any("提升至" in text and f"{raised_fen / 100:,.2f}" in text and "您按时还款" in text for text in texts)

    # the card is empty on a due date
    stage.hands.set_balance(ming.papers.agreement, 0)
    await come_to(stage, add_months(opened_on, 7) + timedelta(days=2))
    wallet_line = await ming.get("/line")
    assert (wallet_line["state"], wallet_line["frozen_for"]) == ("frozen", "overdue")
    assert wallet_line["draw_max_fen"] == 0
    assert any("已逾期" in text for text in said(stage, ming))

    # paid: what was late is over, the review that froze it as well looks again, and it is open
    stage.hands.set_balance(ming.papers.agreement, 10_000_000)
    await stage.pass_days(2)
    wallet_line = await ming.get("/line")
    assert (wallet_line["state"], wallet_line["frozen_for"]) == ("open", None)
    assert [kind for kind, _ in await _history(ming)][-2:] == ["thawed", "thawed"]
    assert any("已恢复使用" in text for text in said(stage, ming))
    assert (await ming.get(f"/loans/{loan_id}"))["daily_rate_percent"] == rate
    reviews = dict(await stage.rows("select cause, result from lines.reviews where member_id = %s", ming.member_id))
    assert (reviews["overdue"], reviews["cured"]) == ("frozen", "thawed")
    assert await stage.proof() == []
