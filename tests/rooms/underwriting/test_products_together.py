"""One member, three products: each admits by its own rule and opens its own line, and none touches another's."""

from datetime import timedelta

import pytest

from grainline.invitation import MonthlyEvaluation, add_evaluations
from grainline.kit.db import transaction
from stage import new_key

pytestmark = pytest.mark.anyio
PRODUCTS = ["weilidai", "jiebei", "jintiao"]
ENGLISH = {"Accept-Language": "en"}


async def evaluated(stage, person, product, *, pd_e6, tier=None, line_fen=None, rate_e8=None):
    """Evaluate a person for one more product."""
    pack, today = stage.platform.packs[product], stage.today()
    evaluation = MonthlyEvaluation(
        member_id=person.member_id,
        product=product,
        month=today.replace(day=1),
        pd_e6=pd_e6,
        invited=tier is not None,
        tier=tier,
        line_fen=line_fen,
        rate_e8=rate_e8,
        reasons=("line_by_capacity",) if tier else ("score_below_minimum", "recent_delay"),
        model="test",
        evaluated_at=stage.clock(),
        expires_on=today + timedelta(days=pack.admission.valid_days) if tier else None,
    )
    async with transaction(stage.platform.pool) as tx:
        await add_evaluations(tx, [evaluation])


@pytest.fixture
async def wang(stage):
    """A borrower of Weilidai at 5 %, whom Jiebei admits and Jintiao has not evaluated."""
    person = await stage.borrower(line_fen=5_000_000, rate_e8=30_000)
    await evaluated(stage, person, "jiebei", pd_e6=50_000, tier="excellent", line_fen=3_000_000, rate_e8=35_000)
    return person


async def test_the_wallet_lists_what_each_product_is_to_a_member(wang):
    wallet = (await wang.call("GET", "/wallet", **ENGLISH)).json()
    assert (wallet["product"], wallet["product_name"]) == ("weilidai", "Weilidai")
    assert wallet["invitation"]["score"] is None
    weilidai, jiebei, jintiao = wallet["products"]
    assert (weilidai["product"], weilidai["limit_fen"], weilidai["available_fen"]) == ("weilidai", 5_000_000, 5_000_000)
    assert (jiebei["product"], jiebei["invited"], jiebei["limit_fen"]) == ("jiebei", True, None)
    assert (jintiao["product"], jintiao["invited"], jintiao["available_fen"]) == ("jintiao", False, None)


async def test_a_score_is_shown_in_points_with_its_scale(stage, wang):
    shown = (await wang.get("/wallet?product=jiebei"))["invitation"]
    # 5 % is 19 to 1; 600 + 40 × log₂(19/9) = 643.1
    assert shown["score"] == {"name": "芝麻式信用分（本平台测算）", "low": 350, "high": 950, "min": 600, "points": 643}
    assert shown["invited"]
    unknown = (await wang.get("/wallet?product=jintiao"))["invitation"]
    assert (unknown["invited"], unknown["score"]["points"]) == (False, None)
    assert [reason["code"] for reason in unknown["reasons"]] == ["no_activity"]
    await evaluated(stage, wang, "jintiao", pd_e6=200_000)
    below = (await wang.get("/wallet?product=jintiao"))["invitation"]
    # 20 % is 4 to 1; 80 + 8 × log₂(4/10) = 69.4
    assert (below["invited"], below["score"]["points"], below["score"]["min"]) == (False, 69, 80)
    assert [reason["code"] for reason in below["reasons"]] == ["score_below_minimum", "recent_delay"]
    assert [advice["code"] for advice in below["advice"]] == ["pay_on_time"]


async def hold_jiebei(person):
    """Hold a line with the product beside the first one's; held before, it stays."""
    await person.hold_line(line_fen=3_000_000, rate_e8=35_000, tier="excellent", product="jiebei")


async def test_each_product_opens_a_line_of_its_own(wang):
    refused = await wang.refused("/applications?product=jintiao", {"student": False}, key=new_key())
    assert refused["code"] == "not_invited"
    assert (await wang.call("GET", "/line?product=jiebei")).json()["code"] == "no_line"
    await hold_jiebei(wang)
    opened = await wang.get("/line?product=jiebei")
    assert (opened["product"], opened["tier"], opened["limit_fen"]) == ("jiebei", "excellent", 3_000_000)
    assert (opened["daily_rate_percent"], opened["annual_rate_percent"]) == ("0.035", "12.78")
    first = await wang.get("/line")
    assert (first["product"], first["limit_fen"]) == ("weilidai", 5_000_000)
    assert first == await wang.get("/line?product=weilidai")


async def test_a_draw_on_one_line_leaves_the_others_and_all_books_in_order(stage, wang):
    await hold_jiebei(wang)
    card = (await wang.get("/cards"))["items"][0]["card_id"]
    wish = {"product": "jiebei", "amount_fen": 1_200_000, "instalments": 12}
    quoted = await wang.post("/quotes", wish)
    assert (quoted["daily_rate_percent"], len(quoted["rows"])) == ("0.035", 12)
    shown = await wang.post("/disclosures", wish | {"purpose": "daily", "card_id": card})
    stage.tick(61)
    paper = await wang.post("/contracts", {"disclosure_id": shown["disclosure_id"], "disclosure_hash": shown["hash"]})
    assert "借呗" in paper["text"]
    signature = {"contract_id": paper["contract_id"], "contract_hash": paper["hash"], "code": await wang.code()}
    draw_id = (await wang.post("/draws", signature, key=new_key()))["draw_id"]
    await stage.work()
    assert (await wang.get(f"/draws/{draw_id}"))["state"] == "paid"
    assert (await wang.get("/line?product=jiebei"))["used_fen"] == 1_200_000
    assert (await wang.get("/line"))["used_fen"] == 0
    [(product, rules)] = await stage.rows("select product, rules from loans.loans where loan_id = %s", draw_id)
    assert (product, rules) == ("jiebei", stage.platform.packs["jiebei"].rules_name("equal_principal"))
    assert await stage.proof() == []


@pytest.mark.parametrize("shape", ["equal_principal", "equal_instalment", "interest_first"])
async def test_jintiao_lends_in_each_of_its_shapes(stage, wang, shape):
    await evaluated(stage, wang, "jintiao", pd_e6=50_000, tier="premium", line_fen=2_000_000, rate_e8=40_000)
    await wang.hold_line(line_fen=2_000_000, rate_e8=40_000, tier="premium", product="jintiao")
    wish = {"product": "jintiao", "amount_fen": 600_000, "instalments": 3, "shape": shape}
    rows = (await wang.post("/quotes", wish))["rows"]
    principals = [row["principal_fen"] for row in rows]
    assert sum(principals) == 600_000
    match shape:
        case "equal_principal":
            assert principals == [200_000] * 3
        case "interest_first":
            assert principals == [0, 0, 600_000]
        case _:
            assert rows[0]["total_fen"] == rows[1]["total_fen"]
            assert principals == sorted(principals)
    refused = await wang.refused("/quotes", wish | {"product": "weilidai", "instalments": 5, "shape": "bullet"})
    assert (refused["status"], refused["code"]) == (422, "unknown_shape")


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/wallet"), ("GET", "/line"), ("POST", "/applications"), ("GET", "/product"), ("GET", "/meta")],
)
async def test_a_product_that_is_not_there_is_told_by_name(wang, method, path):
    for product in ("nothing", "WEILIDAI", "..%2Fjiebei", "%E5%80%9F%E5%91%97", ""):
        body = {"student": False} if method == "POST" else None
        headers = ENGLISH | ({"Idempotency-Key": new_key()} if method == "POST" else {})
        answer = await wang.call(method, f"{path}?product={product}", body, **headers)
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_product"), product
        assert answer.json()["detail"] == f"There is no such product; there are {', '.join(PRODUCTS)}"
    long = await wang.call(method, f"{path}?product={'x' * 33}", {} if method == "POST" else None)
    assert (long.status_code, long.json()["code"]) == (422, "invalid_request")
