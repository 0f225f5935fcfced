"""A draw of 10,000 of which 1.00 reached the card: from the borrower's page to the operator's proof."""

import json

import anyio
import pytest
import structlog
from typer.testing import CliRunner

from grainline.entry import cli
from stage import new_key

pytestmark = pytest.mark.anyio
LATER_S = 330  # longer than any lease


@pytest.fixture
def prove(databases, town, monkeypatch):
    """`grainline verify --json`: its exit code and its findings."""
    monkeypatch.setenv("GRAINLINE_DATABASE_URL", databases[1])
    monkeypatch.setenv("GRAINLINE_DATABASE_OWNER_URL", databases[0])
    monkeypatch.setenv("GRAINLINE_DATA", str(town.folder))

    async def run():
        result = await anyio.to_thread.run_sync(lambda: CliRunner().invoke(cli.app, ["verify", "--json"]))
        return result.exit_code, json.loads(result.stdout)["findings"]

    return run


async def test_a_draw_is_never_paid_with_another_amount(stage, prove):
    person = await stage.borrower(line_fen=1_500_000)
    agreement = person.papers.agreement
    had_fen = stage.hands.account(agreement).balance_fen
    draw_id = await person.draw(10_000)
    assert await prove() == (0, [])
    key = f"{person.member_id}:{draw_id}"
    await stage.platform.rail.pay_out(key=key, agreement=agreement, amount_fen=100)
    for _ in range(4):
        with structlog.testing.capture_logs() as logs:
            await stage.work()
        [alarm] = [log for log in logs if log["log_level"] == "error"]
        assert (alarm["event"], alarm["key"], alarm["amount_fen"]) == ("transfer_contradicted", key, 1_000_000)
        assert person.papers.phone not in str(alarm)
        assert agreement not in str(alarm)
        stage.tick(LATER_S)
    assert stage.hands.account(agreement).balance_fen == had_fen + 100
    shown = await person.get(f"/draws/{draw_id}")
    assert (shown["state"], shown["loan_id"]) == ("sent", None)
    assert (await person.get("/loans"))["items"] == []
    texts = [message.text for message in stage.hands.inbox(person.papers.phone)]
    assert not any("已到账" in text for text in texts)
    code, [finding] = await prove()
    assert (code, finding["check"], finding["member_id"]) == (1, "rail_has_another_order", person.member_id)
    assert f"payout {draw_id} of 1000000 fen is sent" in finding["what"]
    assert "succeeded 100" in finding["what"]
    # a month later it is still nobody's loan: nothing is charged and nothing collected
    await stage.pass_days(31)
    assert [order.direction for order in stage.hands.orders(agreement)] == ["payout"]
    assert stage.hands.account(agreement).balance_fen == had_fen + 100
    assert (await prove())[1] == [finding]


async def test_a_repayment_is_never_booked_with_another_amount(stage, prove):
    person = await stage.borrower(line_fen=1_500_000)
    agreement = person.papers.agreement
    loan_id = await person.loan(10_000)
    had_fen = stage.hands.account(agreement).balance_fen
    path = f"/loans/{loan_id}/repayments"
    asked = await person.post(path, {"amount_fen": 200_000}, key=new_key())
    key = f"{person.member_id}:{asked['repayment_id']}"
    await stage.platform.rail.collect(key=key, agreement=agreement, amount_fen=100)
    for _ in range(3):
        with structlog.testing.capture_logs() as logs:
            await stage.work()
        assert "transfer_contradicted" in [log["event"] for log in logs if log.get("key") == key]
        stage.tick(LATER_S)
    assert stage.hands.account(agreement).balance_fen == had_fen - 100
    assert (await person.get(f"{path}/{asked['repayment_id']}"))["state"] == "sent"
    loan = await person.get(f"/loans/{loan_id}")
    assert loan["principal_outstanding_fen"] == 1_000_000
    # what may have been collected cannot be asked for again
    assert loan["payoff_fen"] == 1_000_000 - 200_000
    above = await person.refused(path, {"amount_fen": loan["payoff_fen"] + 1}, key=new_key())
    assert above["code"] == "repayment_above_debt"
    code, findings = await prove()
    [finding] = [one for one in findings if one["member_id"] == person.member_id]
    assert (code, finding["check"]) == (1, "rail_has_another_order")
    assert f"collection {asked['repayment_id']} of 200000 fen is sent" in finding["what"]
