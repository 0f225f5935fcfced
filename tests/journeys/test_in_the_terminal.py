"""A borrower's path in the terminal, on real processes: `grainline me …` from the code to the repaid loan."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from real_platform import RealPlatform, hold_line, invite, real_platform
from typer.testing import CliRunner, Result

from grainline.entry.cli import app
from sandbox_process import until

UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"


@pytest.fixture(scope="module")
def real() -> Iterator[RealPlatform]:
    with real_platform(3) as platform:
        asyncio.run(invite(platform, platform.people[0], line_fen=500_000))
        platform.start("sandbox serve", "serve", "worker")
        platform.wait_until_it_answers()
        yield platform
        assert platform.stop() == {"sandbox serve": 0, "serve": 0, "worker": 0}


@pytest.fixture
def grainline(real: RealPlatform, monkeypatch: pytest.MonkeyPatch):
    """Run `grainline …` on the platform, in this process; return what it printed."""
    for name, value in real.environment.items():
        if name.startswith("GRAINLINE_"):
            monkeypatch.setenv(name, value)

    def run(*words: str, code: int = 0) -> str:
        result: Result = CliRunner().invoke(app, list(words))
        assert result.exit_code == code, f"grainline {' '.join(words)}: {result.output} {result.exception!r}"
        return result.output

    return run


def code_on_the_phone(grainline, phone: str, *, text: str) -> str:
    """Wait for the newest code of a kind, as `grainline sandbox inbox` shows it."""

    def newest() -> str | None:
        for line in grainline("sandbox", "inbox", phone).splitlines():
            if text in line and (found := re.search(r"验证码 (\d{6})", line)):
                return found[1]
        return None

    return until(newest, what=f"the code for {text}")


def test_from_the_code_to_the_repaid_loan(real, grainline):
    ming = real.people[0]
    assert "It is now" not in grainline("sandbox", "now")
    assert grainline("me", "wallet", code=1) == "grainline me: Please sign in (not_signed_in)\n"
    assert "was sent to 100****0001" in grainline("me", "code", ming.phone)
    code = code_on_the_phone(grainline, ming.phone, text="登录")
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    assert "(code_wrong)" in grainline("me", "sign-in", ming.phone, wrong, code=1)
    assert "Signed in until" in grainline("me", "sign-in", ming.phone, code)
    assert (real.folder / "me.token").stat().st_mode & 0o777 == 0o600

    assert re.search(r"next_step +real_name", grainline("me", "wallet"))
    papers = grainline("sandbox", "resident", ming.phone)
    assert ming.national_id in papers
    assert ming.card_number in papers
    assert "(identity_needed)" in grainline("me", "card", ming.card_number, ming.phone, code=1)
    assert ming.name[0] + "*" in grainline("me", "identity", ming.name, ming.national_id)
    assert "bind a card first" in grainline("me", "disclosure", "1000", "--purpose", "travel", code=1)
    assert ming.card_number[-4:] in grainline("me", "card", ming.card_number, ming.phone)
    assert re.search(r"next_step +consents", grainline("me", "wallet"))
    assert "bureau     not given, required" in grainline("me", "consents")
    assert "(consent_needed)" in grainline("me", "apply", "--not-student", code=1)
    assert "bureau     given" in grainline("me", "consents", "bureau")
    assert "(no_champion)" in grainline("me", "apply", "--not-student", code=1)  # no model is registered here
    asyncio.run(hold_line(real, ming, limit_fen=500_000))
    assert re.search(r"limit +¥5,000.00", grainline("me", "line"))
    assert "renovation" in grainline("me", "product")

    assert "Annual rate 10.95% (simple)" in grainline("me", "quote", "3000")
    assert "(line_exceeded)" in grainline("me", "quote", "5100", code=1)
    shown = grainline("me", "disclosure", "3000", "--purpose", "travel")
    disclosure = re.search(rf"grainline me contract ({UUID}) ([0-9a-f]{{64}})", shown)
    assert disclosure, shown
    assert "(disclosure_not_read)" in grainline("me", "contract", *disclosure.groups(), code=1)
    real.clock.advance_to(real.clock() + timedelta(seconds=61))
    made = grainline("me", "contract", *disclosure.groups())
    contract = re.search(rf"grainline me draw ({UUID}) ([0-9a-f]{{64}}) CODE", made)
    assert contract, made

    # watches by server-sent events until it is paid
    code = code_on_the_phone(grainline, ming.phone, text="签署")
    told = grainline("me", "draw", *contract.groups(), code, "--key", "my-own-key")
    steps = [line.partition("  ")[2] for line in told.splitlines()[:-1]]
    assert steps == ["Contract signed", "Amount reserved on your line", "Handed to the bank", "Paid to your card"]
    loan_id = told.split()[-1]
    assert loan_id in grainline("me", "draw", *contract.groups(), code, "--key", "my-own-key")
    assert grainline("me", "loans").count("loan_id") == 1
    assert len(re.findall(r"\d{4}-\d\d-\d\d", grainline("me", "calendar"))) == 5

    assert grainline("me", "repay", loan_id, "1.005", code=1).startswith("grainline me: '1.005' is no amount")
    assert "(repayment_above_debt)" in grainline("me", "repay", loan_id, "3000.01", code=1)
    assert re.search(r"amount +¥0.50", grainline("me", "repay", loan_id, "0.5"))
    until(lambda: "collected" in grainline("me", "loans", loan_id), what="the first repayment")
    assert re.search(r"amount +¥2,999.50", grainline("me", "repay", loan_id, "all"))
    until(lambda: "settled" in grainline("me", "loans", loan_id), what="the settlement")

    # three yuan come in at a counter, when nothing is owed any more, and go back to the card
    [(member,)] = real.ask("select member_id from loans.loans")
    made = ("--by", "li", "--reason", "cash", "--key", "cash-1")
    grainline("loan", "record", str(member), loan_id, "repayment", "--amount", "3", *made)
    assert "(refund_above_suspense)" in grainline("me", "refund", loan_id, "3.01", code=1)
    assert re.search(r"amount +¥1.50", grainline("me", "refund", loan_id, "1.5"))
    assert re.search(r"amount +¥1.50", grainline("me", "refund", loan_id))
    until(lambda: real.ask("select state, amount_fen from loans.refunds") == [("paid", 150)] * 2, what="the refunds")

    report = json.loads(grainline("verify", "--json"))
    assert report["findings"] == []
    assert report["checked"]["loans"] == 1


def test_day_moved_forward_is_everybodys(real, grainline):
    before = real.clock()
    out = grainline("sandbox", "advance", "--days", "1")
    assert out.strip().startswith("It is now ")
    assert timedelta(days=1) <= real.clock() - before < timedelta(days=1, minutes=10)
    assert grainline("sandbox", "now").split()[0] in out


def test_fault_is_turned_on_and_off(real, grainline):
    assert grainline("sandbox", "fault", "sms", "down", "--next", "1") == "sms down: next\n"
    assert grainline("sandbox", "fault", "sms", "down") == "sms down: off\n"
    assert "sms has no fault slow" in grainline("sandbox", "fault", "sms", "slow", "--next", "1", code=1)
    assert "no such" in grainline("sandbox", "resident", "19912345678", code=1)
