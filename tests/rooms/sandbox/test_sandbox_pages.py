"""What a person sees of the sandbox, and what its knobs accept."""

from datetime import UTC, date, datetime, timedelta

import httpx
import pytest

from grainline.sandbox import store
from grainline.sandbox.seeding import seed
from grainline.sandbox.server import create_app
from grainline.sandbox.settings import SandboxSettings
from grainline.sandbox.town import residents

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 1, 15, 4, 0, tzinfo=UTC)


@pytest.fixture
def app(tmp_path):
    made = create_app(SandboxSettings(tmp_path / "sandbox.sqlite", b"s" * 32), lambda: NOW)
    seed(
        made.state.sandbox.store,
        residents([30, 40], reference=date(2026, 1, 15)),
        secret=b"s" * 32,
        now=NOW,
    )
    yield made
    made.state.sandbox.store.close()


@pytest.fixture
async def browser(app):
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://sandbox") as client:
        client.headers["Accept"] = "text/html"
        yield client


def arrive(app, phone: str, text: str, *, minutes: int = 0) -> None:
    with app.state.sandbox.store.transaction() as tx:
        now = NOW + timedelta(minutes=minutes)
        store.add_message(tx, key=f"{phone}-{minutes}", phone=phone, text=text, now=now)


async def test_the_inbox_shows_the_newest_first_in_shanghai_time_and_one_phone_when_asked(app, browser):
    arrive(app, "10000000001", "第一条 111111")
    arrive(app, "10000000002", "第二条 222222", minutes=1)
    arrive(app, "10000000001", "第三条 333333", minutes=2)
    page = (await browser.get("/inbox")).text
    assert page.index("第三条") < page.index("第二条") < page.index("第一条")
    assert "2026-01-15 12:02:00" in page
    one = (await browser.get("/inbox", params={"phone": "10000000001"})).text
    assert "第三条" in one
    assert "第二条" not in one
    assert 'value="10000000001"' in one


async def test_an_empty_inbox_says_so_in_both_languages(browser):
    page = (await browser.get("/inbox", params={"phone": "10000000002"})).text
    assert "还没有短信" in page
    assert "No messages yet" in page


async def test_the_filter_cannot_break_out_of_the_page(browser):
    page = (await browser.get("/inbox", params={"phone": '"><script>'})).text
    assert '"><script>' not in page


async def test_a_resident_can_read_what_they_hold(browser):
    papers = (await browser.get("/resident.json", params={"phone": "10000000001"})).json()
    page = (await browser.get("/resident", params={"phone": "10000000001"})).text
    for held in (papers["name"], papers["national_id"], papers["card_number"], "20,000.00"):
        assert held in page
    assert "没有这位居民" in (await browser.get("/resident", params={"phone": "19900000000"})).text
    assert (await browser.get("/resident.json", params={"phone": "19900000000"})).status_code == 404


async def test_faults_are_a_page_to_a_browser_and_a_list_to_a_program(browser):
    page = await browser.get("/faults")
    assert "一直处理中" in page.text
    assert "Stays processing" in page.text
    listed = (await browser.get("/faults", headers={"Accept": "application/json"})).json()
    assert len(listed) == 4 + 9
    assert {fault["mode"] for fault in listed} == {"off"}


async def test_a_fault_is_set_shown_and_cleared(browser):
    setting = {"partner": "rail", "fault": "reject", "mode": "next", "count": 2, "reason": "account_frozen"}
    assert (await browser.put("/faults", json=setting)).status_code == 200
    listed = (await browser.get("/faults.json")).json()
    assert [fault for fault in listed if fault["mode"] != "off"] == [
        setting | {"probability": 0.0, "asks": None, "delay_s": 30}
    ]
    assert (await browser.delete("/faults")).status_code == 204
    assert {fault["mode"] for fault in (await browser.get("/faults.json")).json()} == {"off"}


@pytest.mark.parametrize(
    "setting",
    [
        {"partner": "sms", "fault": "reject", "mode": "next", "count": 1},
        {"partner": "rail", "fault": "gravity", "mode": "next", "count": 1},
        {"partner": "rail", "fault": "down", "mode": "next"},
        {"partner": "rail", "fault": "down", "mode": "probability"},
        {"partner": "rail", "fault": "down", "mode": "probability", "probability": 1.1},
        {"partner": "rail", "fault": "reject", "mode": "next", "count": 1, "reason": "Not A Code"},
        {"partner": "rail", "fault": "stays_processing", "mode": "next", "count": 1, "asks": 0},
    ],
)
async def test_a_fault_that_makes_no_sense_is_refused_and_changes_nothing(browser, setting):
    answer = await browser.put("/faults", json=setting)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert {fault["mode"] for fault in (await browser.get("/faults.json")).json()} == {"off"}


@pytest.mark.parametrize("balance", [-1, "lots", 1.5, 10**16])
async def test_a_balance_that_is_none_is_refused(browser, balance):
    papers = (await browser.get("/resident.json", params={"phone": "10000000001"})).json()
    answer = await browser.put(f"/rail/accounts/{papers['agreement']}", json={"balance_fen": balance})
    assert answer.status_code == 422
    books = (await browser.get("/rail/books")).json()
    assert books["imbalances"] == []


async def test_the_outside_and_strangers_have_no_account_to_set(browser):
    for name in ("outside", "AGnobody"):
        assert (await browser.put(f"/rail/accounts/{name}", json={"balance_fen": 1})).status_code == 404


async def test_no_page_asks_anything_of_another_host(browser):
    for path in ("/", "/inbox", "/resident", "/faults"):
        page = await browser.get(path)
        assert page.status_code == 200
        assert "://" not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert 'name="viewport"' in page.text
    for path in ("/docs", "/redoc"):
        assert (await browser.get(path)).status_code == 404
