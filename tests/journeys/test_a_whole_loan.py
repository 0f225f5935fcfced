"""A life in dates: invited, borrows, pays on time, settles early; the arithmetic is shown."""

from datetime import timedelta

import pytest

pytestmark = pytest.mark.anyio


async def test_from_an_invitation_to_a_repaid_loan(stage):
    ming = await stage.resident(invited=True, line_fen=1_500_000, rate_e8=50_000)
    await ming.sign_in()
    assert (await ming.get("/wallet"))["next_step"] == "real_name"
    await ming.post("/identity", ming.identity())
    assert (await ming.get("/wallet"))["next_step"] == "card"
    await ming.post("/cards", ming.card())
    assert (await ming.get("/wallet"))["next_step"] == "consents"
    await ming.post("/consents", {"sources": ["bureau"]})
    assert (await ming.get("/wallet"))["next_step"] == "line"
    await ming.hold_line(line_fen=1_500_000, rate_e8=50_000)
    line = await ming.get("/line")
    assert (line["limit_fen"], line["available_fen"], line["daily_rate_percent"]) == (1_500_000, 1_500_000, "0.05")

    loan_id = await ming.loan(10_000)
    loan = await ming.get(f"/loans/{loan_id}")
    assert (loan["state"], loan["principal_outstanding_fen"]) == ("active", 1_000_000)
    started_on = stage.today()
    assert loan["started_on"] == str(started_on)
    assert (await ming.get("/line"))["available_fen"] == 500_000

    first = loan["rows"][0]
    days = first["days"]  # 28 to 31, by the month this test runs in
    assert first["interest_fen"] == 1_000_000 * 5 * days // 10_000
    await stage.pass_days(days)
    loan = await ming.get(f"/loans/{loan_id}")
    assert loan["rows"][0]["state"] == "paid"
    assert [r["kind"] for r in loan["repayments"]] == ["automatic"]
    assert loan["principal_outstanding_fen"] == 800_000
    assert (await ming.get("/line"))["available_fen"] == 700_000

    await stage.pass_days(10)
    loan = await ming.get(f"/loans/{loan_id}")
    assert loan["payoff_fen"] == 800_000 + 800_000 * 5 * 10 // 10_000  # ten days on what is left
    await ming.repay(loan_id, loan["payoff_fen"])
    loan = await ming.get(f"/loans/{loan_id}")
    assert (loan["state"], loan["settled_on"]) == ("settled", str(started_on + timedelta(days=days + 10)))
    assert (await ming.get("/line"))["available_fen"] == 1_500_000
    assert (await ming.get("/calendar"))["items"] == []
    texts = [message.text for message in stage.hands.inbox(ming.papers.phone)]
    assert any("已到账" in text for text in texts)
    assert any("已结清" in text for text in texts)
    assert await stage.proof() == []
