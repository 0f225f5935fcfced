"""The credit bureau: what it reports, of whom, and what it never says by being silent."""

import httpx
import pytest

from grainline.partners.bureau import CreditReport, HttpBureau, NoRecord, wire
from grainline.partners.transport import BadAnswer, PartnerUnavailable
from grainline.sandbox.fault_rules import Mode, Name, Partner

pytestmark = pytest.mark.anyio

CONSENT = "bureau/2026-11-01/2026-11-02T10:00:00+00:00"


@pytest.fixture(params=[HttpBureau])
def bureau(request, sandbox, http):
    return request.param(sandbox.link(http, "bureau"))


async def test_a_report_has_six_months_of_a_card_and_what_is_owed(bureau, sandbox):
    papers = sandbox.someone()
    told = await bureau.report(name=papers.name, national_id=papers.national_id, subject="m-1", consent=CONSENT)
    assert isinstance(told, CreditReport)
    assert {f"{stem}_{n}" for stem in ("status", "bill", "paid") for n in range(1, 7)} < told.card.keys()
    assert not {"sex", "marriage", "age"} & told.card.keys()
    assert told.owed_elsewhere_fen == max(0, told.card["bill_1"]) * 100


@pytest.mark.parametrize("wrong", [{"name": "测试别人"}, {"national_id": "990000199001019994"}])
async def test_of_somebody_else_there_is_no_record(bureau, sandbox, wrong):
    papers = sandbox.someone()
    asked = {"name": papers.name, "national_id": papers.national_id} | wrong
    assert await bureau.report(**asked, subject="m-2", consent=CONSENT) == NoRecord()


async def test_who_borrows_elsewhere_is_told_as_a_change_once(bureau, sandbox, hands):
    papers = sandbox.someone()
    person = {"name": papers.name, "national_id": papers.national_id, "subject": "m-3", "consent": CONSENT}
    start = (await bureau.changes(after=0)).cursor
    hands.set_elsewhere(papers.phone, open_loans=2, owed_fen=5_000)
    assert (await bureau.changes(after=start)).subjects == ()  # nobody had asked about them
    await bureau.report(**person)
    hands.set_elsewhere(papers.phone, open_loans=3, owed_fen=7_000_000, overdue_days=12)
    found = await bureau.changes(after=start)
    assert found.subjects == ("m-3",)
    assert (await bureau.changes(after=found.cursor)) == type(found)((), found.cursor)
    told = await bureau.report(**person)
    assert isinstance(told, CreditReport)
    assert (told.open_loans, told.owed_elsewhere_fen, told.overdue_days) == (3, 7_000_000, 12)


async def test_a_bureau_that_is_down_says_nothing(bureau, sandbox, hands):
    papers = sandbox.someone()
    hands.set_fault(Partner.BUREAU, Name.DOWN, mode=Mode.NEXT, count=1)
    with pytest.raises(PartnerUnavailable):
        await bureau.report(name=papers.name, national_id=papers.national_id, subject="m-4", consent=CONSENT)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"result":"report","subject":"m-1"}',
        b'{"result":"no_record","subject":"another"}',
        b'{"result":"report","subject":"m-1","as_of":"2026-01-01T00:00:00","card":{"bill_1":1},"open_loans":0,'
        b'"owed_elsewhere_fen":0,"overdue_days":0}',
        b'{"result":"report","subject":"m-1","as_of":"2026-01-01T00:00:00Z","card":{"bill_1":true},"open_loans":0,'
        b'"owed_elsewhere_fen":0,"overdue_days":0}',
        b'{"result":"report","subject":"m-1","as_of":"2026-01-01T00:00:00Z","card":{"bill_1":1},"open_loans":-1,'
        b'"owed_elsewhere_fen":0,"overdue_days":0}',
    ],
)
def test_an_answer_of_another_form_is_no_answer(body):
    with pytest.raises(BadAnswer):
        wire.read_answer(body, subject="m-1")


def test_a_cursor_does_not_go_back():
    with pytest.raises(BadAnswer):
        wire.read_changes(b'{"subjects":[],"cursor":3}', after=4)


async def test_an_unsigned_question_is_refused(sandbox, http: httpx.AsyncClient):
    answer = await http.post(f"{sandbox.url}/bureau/report", json={})
    assert (answer.status_code, answer.json()["code"]) == (401, "bad_signature")
