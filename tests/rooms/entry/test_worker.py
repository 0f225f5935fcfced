"""The worker: everything it does is a row, done once by however many, and what breaks stops nothing else."""

import asyncio
import os
import signal
from datetime import time, timedelta

import pytest
import structlog

from grainline.entry import worker
from grainline.entry.settings import Settings
from grainline.kit.calendar import at
from sandbox_process import SECRET
from stage import Stage, new_key

pytestmark = pytest.mark.anyio


async def test_debit_times_come_one_after_the_other(stage: Stage):
    day = stage.today()
    slots = {
        time(0, 5): [],
        time(8, 59): [],
        time(9, 0): ["T09:00"],
        time(17, 59): ["T09:00"],
        time(18, 0): ["T09:00", "T18:00"],
        time(23, 59): ["T09:00", "T18:00"],
    }
    for clock_time, expected in slots.items():
        found = worker.due_slots(stage.platform.pack, day, at(day, clock_time))
        assert found == [f"{day}{slot}" for slot in expected]


async def test_workers_side_by_side_do_everything_once(stage):
    people = [await stage.borrower() for _ in range(4)]
    draws = [await person.draw(1_000) for person in people]
    await asyncio.gather(*(stage.work() for _ in range(4)))
    for person, draw_id in zip(people, draws, strict=True):
        assert (await person.get(f"/draws/{draw_id}"))["state"] == "paid"
        assert len(stage.hands.orders(person.papers.agreement)) == 1
        texts = [message.text for message in stage.hands.inbox(person.papers.phone)]
        assert sum("已到账" in text for text in texts) == 1
    assert await stage.proof() == []


async def test_day_done_twice_is_done_once(stage):
    person = await stage.borrower()
    loan_id = await person.loan(1_000)
    days = (await person.get(f"/loans/{loan_id}"))["rows"][0]["days"]
    stage.clock.advance_to(at(stage.today() + timedelta(days=days), time(9, 30)))
    await asyncio.gather(*(worker.day_work(stage.platform, stage.clock()) for _ in range(4)))
    await stage.work()
    await worker.day_work(stage.platform, stage.clock())
    await stage.work()
    loan = await person.get(f"/loans/{loan_id}")
    assert [(one["kind"], one["state"]) for one in loan["repayments"]] == [("automatic", "collected")]
    assert loan["rows"][0]["state"] == "paid"
    assert await stage.proof() == []


async def test_debit_that_failed_in_the_morning_comes_again_in_the_evening(stage):
    person = await stage.borrower()
    loan_id = await person.loan(1_000)
    stage.hands.set_balance(person.papers.agreement, 0)
    days = (await person.get(f"/loans/{loan_id}"))["rows"][0]["days"]
    await stage.pass_days(days)  # to noon of the due date
    loan = await person.get(f"/loans/{loan_id}")
    assert [(one["kind"], one["state"]) for one in loan["repayments"]] == [("automatic", "failed")]
    assert (loan["state"], loan["rows"][0]["state"]) == ("active", "due")
    stage.hands.set_balance(person.papers.agreement, 100_000)
    stage.clock.advance_to(at(stage.today(), time(18, 1)))
    await worker.day_work(stage.platform, stage.clock())
    await stage.work()
    loan = await person.get(f"/loans/{loan_id}")
    assert [one["state"] for one in loan["repayments"]] == ["failed", "collected"]
    assert await stage.proof() == []


async def test_job_that_breaks_is_logged_and_comes_again():
    calls = []

    async def breaks() -> int:
        calls.append(1)
        raise RuntimeError("no luck")

    with structlog.testing.capture_logs() as logs:
        for _ in range(2):
            assert await worker._attempt("payouts", breaks) == 0
    assert len(calls) == 2
    assert [(log["event"], log["job"], log["log_level"]) for log in logs] == [("job_broken", "payouts", "error")] * 2


async def test_a_step_of_the_day_that_breaks_stops_none_of_the_others(stage, monkeypatch):
    done = []

    def step(name, breaks=False):
        async def act(*_, **__):
            done.append(name)
            if breaks:
                raise RuntimeError(name)

        monkeypatch.setattr(worker, name, act)

    broken, others = ["care_for_lines", "refresh_this_month"], ["roll_up_house", "forget", "watch_models"]
    for name in (*broken, *others, "forget_environments"):
        step(name, breaks=name in broken)
    with pytest.raises(ExceptionGroup) as raised:
        await worker.day_work(stage.platform, stage.clock())
    assert [str(one) for one in raised.value.exceptions] == broken
    assert {*broken, *others, "forget_environments"} == set(done)


async def test_log_of_a_broken_job_shows_where_and_nobodys_data(capsys):
    async def breaks() -> int:
        phone = "1991234" + "5678"
        raise RuntimeError(f"a phone of {len(phone)} digits")

    await worker._attempt("notices", breaks)
    told = "".join(capsys.readouterr())
    assert "RuntimeError: a phone of 11 digits" in told
    assert "19912345678" not in told


async def test_signal_ends_the_worker_when_its_work_is_done(stage, databases, town):
    """It takes up what waits, and SIGTERM ends it in order."""
    person = await stage.borrower()
    draw_id = await person.draw(1_000)
    settings = Settings(data=town.folder, partners_url=town.url, partner_secret=SECRET.hex(), sandbox=True)
    loop = asyncio.get_running_loop()
    running = loop.create_task(worker.run(settings, databases[1]))
    try:
        async with asyncio.timeout(20):
            answer = await person.call("GET", f"/draws/{draw_id}/progress")  # until it is paid
        assert '"state":"paid"' in answer.text
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(20):
            await running
    finally:
        running.cancel()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def test_what_cannot_be_sent_holds_up_no_payout(stage):
    person = await stage.borrower()
    stage.hands.set_fault("sms", "down", mode="probability", probability=1.0)
    body = await person.disclosure(1_000)
    stage.tick(61)
    made = await person.post("/contracts", {"disclosure_id": body["disclosure_id"], "disclosure_hash": body["hash"]})
    await stage.work()
    assert stage.hands.inbox(person.papers.phone)[0].text.startswith("【Grainline】您的额度") is False
    stage.hands.clear_faults()
    stage.tick(61)
    draw = {"contract_id": made["contract_id"], "contract_hash": made["hash"], "code": await person.code()}
    stage.hands.set_fault("sms", "down", mode="probability", probability=1.0)
    drawn = await person.post("/draws", draw, key=new_key())
    await stage.work()
    assert (await person.get(f"/draws/{drawn['draw_id']}"))["state"] == "paid"
    stage.hands.clear_faults()
    stage.tick(30)
    await stage.work()
    assert "已到账" in stage.hands.inbox(person.papers.phone)[0].text
