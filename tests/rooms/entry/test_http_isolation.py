"""A member can reach nothing of another member: every route that takes an id, tried with somebody else's."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest

from deciding_stage import applicant, cast
from stage import Borrower, Stage, new_key

pytestmark = pytest.mark.anyio

OPEN = {
    ("post", "/api/v1/sign-in/otp"),
    ("post", "/api/v1/sign-in"),
    ("get", "/api/v1/meta"),
    ("get", "/api/v1/products"),  # what is offered is no secret
    ("get", "/api/v1/products/comparison"),
    ("get", "/api/v1/environment/key"),  # a public key
    ("get", "/api/v1/environment/fields"),
    ("post", "/api/v1/partners/rail/callbacks"),  # signed by the rail instead
}


@dataclass(frozen=True)
class Ids:
    """Everything of somebody that has an id or a hash."""

    card: str
    disclosure: str
    disclosure_hash: str
    contract: str
    contract_hash: str
    draw: str
    loan: str
    repayment: str
    overpaid: str
    refund: str
    decision: str

    def nobodys(self) -> "Ids":
        """The same hashes under ids that nobody has."""
        new = {name: str(uuid4()) for name in vars(self) if not name.endswith("_hash")}
        return Ids(**{**vars(self), **new})


Call = tuple[str, object]
# each route that takes an id, how it is called with somebody's, and how it refuses
KNOWN: dict[tuple[str, str], tuple[Callable[[Ids], Call], str]] = {
    ("post", "/api/v1/disclosures"): (
        lambda a: (
            "/disclosures",
            {"amount_fen": 100_000, "instalments": 5, "purpose": "travel", "card_id": a.card},
        ),
        "card_not_found",
    ),
    ("post", "/api/v1/contracts"): (
        lambda a: ("/contracts", {"disclosure_id": a.disclosure, "disclosure_hash": a.disclosure_hash}),
        "disclosure_not_found",
    ),
    ("post", "/api/v1/contracts/{contract_id}/otp"): (
        lambda a: (f"/contracts/{a.contract}/otp", None),
        "contract_not_found",
    ),
    ("post", "/api/v1/draws"): (
        lambda a: ("/draws", {"contract_id": a.contract, "contract_hash": a.contract_hash, "code": "123456"}),
        "contract_not_found",
    ),
    ("get", "/api/v1/draws/{draw_id}"): (lambda a: (f"/draws/{a.draw}", None), "draw_not_found"),
    ("get", "/api/v1/draws/{draw_id}/progress"): (lambda a: (f"/draws/{a.draw}/progress", None), "draw_not_found"),
    ("get", "/api/v1/loans/{loan_id}"): (lambda a: (f"/loans/{a.loan}", None), "loan_not_found"),
    ("get", "/api/v1/loans/{loan_id}/events"): (lambda a: (f"/loans/{a.loan}/events", None), "loan_not_found"),
    ("get", "/api/v1/loans/{loan_id}/statement"): (lambda a: (f"/loans/{a.loan}/statement", None), "loan_not_found"),
    ("get", "/api/v1/loans/{loan_id}/settlement-certificate"): (
        lambda a: (f"/loans/{a.loan}/settlement-certificate", None),
        "loan_not_found",
    ),
    ("get", "/api/v1/contracts/{contract_id}/document"): (
        lambda a: (f"/contracts/{a.contract}/document", None),
        "contract_not_found",
    ),
    ("get", "/api/v1/disclosures/{disclosure_id}/document"): (
        lambda a: (f"/disclosures/{a.disclosure}/document", None),
        "disclosure_not_found",
    ),
    ("post", "/api/v1/loans/{loan_id}/repayments"): (
        lambda a: (f"/loans/{a.loan}/repayments", {"amount_fen": 100}),
        "loan_not_found",
    ),
    ("get", "/api/v1/loans/{loan_id}/repayments/{repayment_id}"): (
        lambda a: (f"/loans/{a.loan}/repayments/{a.repayment}", None),
        "repayment_not_found",
    ),
    ("post", "/api/v1/loans/{loan_id}/refunds"): (
        lambda a: (f"/loans/{a.overpaid}/refunds", {"amount_fen": 100}),
        "loan_not_found",
    ),
    ("get", "/api/v1/loans/{loan_id}/refunds"): (lambda a: (f"/loans/{a.overpaid}/refunds", None), "loan_not_found"),
    ("get", "/api/v1/loans/{loan_id}/refunds/{refund_id}"): (
        lambda a: (f"/loans/{a.overpaid}/refunds/{a.refund}", None),
        "refund_not_found",
    ),
    ("get", "/api/v1/applications/{decision_id}"): (lambda a: (f"/applications/{a.decision}", None), "no_decision"),
    ("get", "/api/v1/applications/{decision_id}/ways"): (
        lambda a: (f"/applications/{a.decision}/ways", None),
        "no_decision",
    ),
    ("get", "/api/v1/applications/{decision_id}/notice"): (
        lambda a: (f"/applications/{a.decision}/notice", None),
        "no_decision",
    ),
    ("post", "/api/v1/applications/{decision_id}/review"): (
        lambda a: (f"/applications/{a.decision}/review", {"words": ""}),
        "no_decision",
    ),
}
# what a path names there is a kind of thing, of which everybody has their own
KINDS = {("delete", "/api/v1/consents/{source}")}


def document(stage: Stage) -> dict:
    """The API's own description of itself."""
    return stage.api._transport.app.openapi()


def routes(stage: Stage) -> list[tuple[str, str]]:
    """Every route there is."""
    return [(method, path) for path, item in document(stage)["paths"].items() for method in item]


def takes_an_id(whole: dict, operation: dict, path: str) -> bool:
    """Tell whether a route takes an id in its path, query or body."""
    if "{" in path or any(p["schema"].get("format") == "uuid" for p in operation.get("parameters", ())):
        return True
    content = operation.get("requestBody", {}).get("content", {})
    for kind in content.values():
        name = kind["schema"]["$ref"].rpartition("/")[2]
        if any(field.get("format") == "uuid" for field in whole["components"]["schemas"][name]["properties"].values()):
            return True
    return False


@pytest.fixture(scope="module")
async def ming(stage: Stage) -> tuple[Borrower, Ids]:
    """Somebody with one of everything."""
    await cast(stage)
    person = await applicant(stage)
    decided = await person.post(
        "/applications", {"student": True}, key=new_key()
    )  # declined, so that no line is opened
    await person.hold_line(line_fen=5_000_000, rate_e8=50_000)
    loan = await person.loan(1_000)
    repayment = await person.post(f"/loans/{loan}/repayments", {"amount_fen": 100}, key=new_key())
    stage.tick(61)
    overpaid = await person.loan(500)
    await person.pay_cash(overpaid, 50_100)
    refund = await person.post(f"/loans/{overpaid}/refunds", {"amount_fen": None}, key=new_key())
    stage.tick(61)
    shown = await person.disclosure(2_000)
    stage.tick(61)
    contract = await person.post(
        "/contracts", {"disclosure_id": shown["disclosure_id"], "disclosure_hash": shown["hash"]}
    )
    cards = (await person.get("/cards"))["items"]
    return person, Ids(
        card=cards[0]["card_id"],
        disclosure=shown["disclosure_id"],
        disclosure_hash=shown["hash"],
        contract=contract["contract_id"],
        contract_hash=contract["hash"],
        draw=loan,
        loan=loan,
        repayment=repayment["repayment_id"],
        overpaid=overpaid,
        refund=refund["refund_id"],
        decision=decided["decision_id"],
    )


@pytest.fixture(scope="module")
async def hong(stage: Stage) -> Borrower:
    """Somebody else, with a line of their own."""
    return await stage.borrower()


async def test_every_route_that_takes_an_id_is_known_here(stage):
    """A new one must be added to KNOWN with the answer a stranger gets."""
    whole = document(stage)
    found = {(method, path) for method, path in routes(stage) if takes_an_id(whole, whole["paths"][path][method], path)}
    assert found == set(KNOWN) | KINDS


@pytest.mark.parametrize("route", KNOWN, ids=[" ".join(route) for route in KNOWN])
async def test_somebody_elses_ids_are_answered_like_nobodys(route, ming, hong):
    _, ids = ming
    call, code = KNOWN[route]
    answers = []
    for whose in (ids, ids.nobodys()):
        path, body = call(whose)
        answers.append(await hong.call(route[0].upper(), path, body, **{"Idempotency-Key": new_key()}))
    for answer in answers:
        assert answer.status_code == 404, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code
    assert answers[0].json() == answers[1].json()


async def test_the_owner_reaches_them(stage, ming):
    """Or the test above would prove nothing."""
    person, ids = ming
    stage.tick(61)
    for (method, _), (call, _) in KNOWN.items():
        path, body = call(ids)
        answer = await person.call(method.upper(), path, body, **{"Idempotency-Key": new_key()})
        assert answer.status_code != 404, (path, answer.text)


async def test_a_strangers_right_code_signs_nothing(stage, ming, hong):
    """The code for one's own contract does not sign another's."""
    _, ids = ming
    own = await hong.signature(500)
    stolen = {"contract_id": ids.contract, "contract_hash": ids.contract_hash, "code": own["code"]}
    problem = await hong.refused("/draws", stolen, key=new_key())
    assert (problem["status"], problem["code"]) == (404, "contract_not_found")
    await hong.post("/draws", own, key=new_key())


async def test_a_repayment_is_found_under_its_own_loan_only(stage, ming):
    person, ids = ming
    other = await person.loan(300)
    answer = await person.call("GET", f"/loans/{other}/repayments/{ids.repayment}")
    assert (answer.status_code, answer.json()["code"]) == (404, "repayment_not_found")


async def test_lists_hold_nothing_of_somebody_else(ming, hong):
    person, ids = ming
    for path in ("/draws", "/loans", "/calendar", "/cards", "/wallet", "/line"):
        shown = (await hong.call("GET", path)).text
        for name, value in vars(ids).items():
            assert value not in shown, (path, name)
    owned = "".join([(await person.call("GET", path)).text for path in ("/draws", "/loans", "/calendar", "/cards")])
    assert all(value in owned for value in (ids.card, ids.draw, ids.loan))


async def test_a_cursor_of_somebody_else_leads_to_nothing_of_theirs(stage, ming, hong):
    person, ids = ming
    await person.loan(200)
    for path in ("/draws", "/loans", "/calendar"):
        page = await person.get(f"{path}?limit=1")
        shown = (await hong.call("GET", f"{path}?cursor={page['next_cursor']}")).text
        assert ids.loan not in shown


async def test_every_other_route_needs_a_token(stage):
    nobody = Borrower(stage, None, 0)
    closed = [route for route in routes(stage) if route not in OPEN]
    assert len(closed) >= 18
    assert set(routes(stage)) >= OPEN
    for method, path in closed:
        filled = re.sub(r"\{\w+\}", str(uuid4()), path)
        answer = await nobody.call(method.upper(), f"http://stage{filled}", {} if method == "post" else None)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_open_routes_are_open(stage):
    nobody = Borrower(stage, None, 0)
    for method, path in sorted(OPEN):
        answer = await nobody.call(method.upper(), f"http://stage{path}", {} if method == "post" else None)
        assert answer.json().get("code") != "not_signed_in"
    assert (await nobody.call("GET", "http://stage/api/v1/openapi.json")).json()["info"]["title"] == "Grainline"
