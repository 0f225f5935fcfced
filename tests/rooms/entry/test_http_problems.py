"""The edge: whatever is sent, the answer is a problem with a stable code in the caller's language, never a crash."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from fastapi.responses import StreamingResponse

import grainline
from grainline.entry.http import SECURITY_HEADERS, make_app
from grainline.entry.problems import STATUS, TEXTS, detail_of
from grainline.kit.errors import Kind, Refusal
from stage import Borrower, Stage

SOURCE = Path(grainline.__file__).parent
FIELD = re.compile(r"\{(\w+)\}")
JSON = {"Content-Type": "application/json"}


def refusals(base: type[Refusal] = Refusal) -> Iterator[type[Refusal]]:
    """Yield every refusal of ours that has a code."""
    for kind in base.__subclasses__():
        yield from refusals(kind)
        if kind.__module__.startswith("grainline.") and "code" in vars(kind):
            yield kind


CODES = sorted({kind.code for kind in refusals()})
# codes of the edge itself
EDGE = {"forbidden_method", "internal", "invalid_request", "malformed_json", "not_found", "too_large"}


def given_params() -> dict[str, list[set[str]]]:
    """Return by class name what each place that raises a refusal gives it."""
    names = {kind.__name__ for kind in refusals()}
    found: dict[str, list[set[str]]] = defaultdict(list)
    for file in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            raised = node.exc if isinstance(node, ast.Raise) else node
            if isinstance(raised, ast.Name) and isinstance(node, ast.Raise) and raised.id in names:
                found[raised.id].append(set())
            if isinstance(raised, ast.Call) and getattr(raised.func, "id", None) in names:
                found[raised.func.id].append({keyword.arg or "**" for keyword in raised.keywords})
    return found


def problem_of(answer) -> dict:
    """Hold an answer against the form every problem has, and return it."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"] == f"urn:grainline:problem:{problem['code']}"
    assert problem["title"] == problem["code"].replace("_", " ")
    assert "…" not in problem["detail"]
    assert "{" not in problem["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    return problem


def test_there_are_refusals_to_sweep_over():
    assert len(CODES) > 40
    assert {"line_exceeded", "code_wrong", "partner_outcome_unknown", "not_signed_in"} <= set(CODES)


@pytest.mark.parametrize("code", [*CODES, *sorted(EDGE)])
def test_every_refusal_has_a_sentence_in_both_languages(code):
    params = dict.fromkeys(FIELD.findall(TEXTS[code]["zh"]), "x")
    assert re.search("[\u4e00-\u9fff]", detail_of(code, params, "zh"))
    assert detail_of(code, params, "en").isascii()
    assert all("x" in detail_of(code, params, language) for language in ("zh", "en")) or not params
    # the same facts in both
    assert set(FIELD.findall(TEXTS[code]["zh"])) == set(FIELD.findall(TEXTS[code]["en"]))


def test_no_text_is_left_over():
    assert set(TEXTS) == {*CODES, *EDGE}


def test_every_fact_a_sentence_names_is_given_where_it_is_raised():
    given = given_params()
    for kind in refusals():
        needed = {field.removesuffix("_yuan") for field in FIELD.findall(TEXTS[kind.code]["zh"])}
        for params in given[kind.__name__]:
            assert "**" in params or needed <= {name.removesuffix("_fen") for name in params}, (kind, params)
        assert given[kind.__name__] or not needed, f"nobody raises {kind}"


def test_every_kind_has_a_status():
    assert set(STATUS) == set(Kind)


def test_amounts_are_written_in_yuan():
    assert detail_of("draw_above_maximum", {"max_fen": 4_000_000}, "en") == "One draw can be at most 40,000 yuan"
    assert detail_of("repayment_above_debt", {"payoff_fen": 123_456}, "zh").startswith(
        "还款金额超过应还总额 1,234.56 元"
    )


pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("language", "chosen"),
    [
        (None, "zh"),
        ("", "zh"),
        ("zh-CN", "zh"),
        ("zh-CN,en;q=0.8", "zh"),
        ("en", "en"),
        ("en-GB,en;q=0.9,zh;q=0.1", "en"),
        ("fr", "zh"),
        ("*", "zh"),
        ("\x00", "zh"),
        ("e" * 8000, "zh"),
    ],
)
async def test_language_of_a_problem(stage: Stage, language, chosen):
    headers = {} if language is None else {"Accept-Language": language}
    answer = await stage.api.get("/wallet", headers=headers)
    assert problem_of(answer)["detail"] == TEXTS["not_signed_in"][chosen]
    assert answer.headers["content-language"] == chosen


@pytest.mark.parametrize("path", ["/nothing", "/wallet/", "/draws/x/y/z", "/../wallets", "/loans//", "/%00", "/v2"])
async def test_unknown_path(stage, path):
    problem = problem_of(await stage.api.get(path))
    assert (problem["status"], problem["code"]) == (404, "not_found")


async def test_unknown_path_to_post_to(stage):
    problem = problem_of(await stage.api.post("/nothing", json={}))
    assert (problem["status"], problem["code"]) in [(404, "not_found"), (405, "forbidden_method")]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "BREW"])
@pytest.mark.parametrize("path", ["/wallet", "/draws", "/sign-in"])
async def test_unknown_method(stage, method, path):
    answer = await stage.api.request(method, path)
    problem = problem_of(answer)
    assert (problem["status"], problem["code"]) == (405, "forbidden_method")


def posts(stage: Stage) -> list[str]:
    """Every path that takes a JSON body, with ids filled in."""
    document = stage.api._transport.app.openapi()
    paths = [path for path, item in document["paths"].items() if "requestBody" in item.get("post", {})]
    assert len(paths) >= 9
    return [re.sub(r"\{\w+\}", "00000000-0000-4000-8000-000000000000", path) for path in sorted(paths)]


BROKEN = {
    "cut off": b'{"phone": ',
    "no JSON": b"phone=19912345678",
    "single quotes": b"{'phone': 1}",
    "not UTF-8": b'{"phone": "\xff\xfe"}',
    "a number of 5,000 digits": b'{"amount_fen": ' + b"9" * 5000 + b"}",
    "30,000 brackets": b"[" * 30_000,
    "trailing words": b"{} and more",
}


@pytest.mark.parametrize("what", BROKEN)
async def test_broken_json_is_told_as_such_on_every_route(stage, what):
    person = await stage.resident(invited=True)
    await person.sign_in()
    headers = person.headers | JSON | {"Idempotency-Key": "12345678"}
    for path in posts(stage):
        answer = await stage.api.post(f"http://stage{path}", content=BROKEN[what], headers=headers)
        problem = problem_of(answer)
        assert (problem["status"], problem["code"]) == (400, "malformed_json"), path


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'"x"', b"1", b"{}", b"NaN", b'[{"phone": "19912345678"}]'])
async def test_body_of_another_form_names_what_is_missing(stage, body):
    person = await stage.resident(invited=True)
    await person.sign_in()
    headers = person.headers | JSON | {"Idempotency-Key": "12345678"}
    for path in posts(stage):
        problem = problem_of(await stage.api.post(f"http://stage{path}", content=body, headers=headers))
        assert (problem["status"], problem["code"]) == (422, "invalid_request"), path
        assert problem["errors"]
        assert problem["fields"]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", None])
async def test_other_content_types_are_not_read_as_json(stage, kind):
    """A form on another site can post text/plain without asking; it must not reach anything."""
    body = b'{"phone": "19912345679"}'
    headers = {} if kind is None else {"Content-Type": kind}
    problem = problem_of(await stage.api.post("/sign-in/otp", content=body, headers=headers))
    assert (problem["status"], problem["code"]) == (422, "invalid_request")
    await stage.work()
    assert stage.hands.inbox("19912345679") == []


async def in_pieces(count: int, size: int):
    """A body whose length is not told beforehand."""
    for _ in range(count):
        yield b" " * size


@pytest.mark.parametrize("told", [True, False], ids=["length told", "length not told"])
async def test_body_of_ten_megabytes_is_too_large_on_every_route(stage, told):
    person = await stage.resident(invited=True)
    await person.sign_in()
    headers = person.headers | JSON | {"Idempotency-Key": "12345678"}
    for path in [*posts(stage), "/api/v1/partners/rail/callbacks"]:
        content = b" " * 10_000_000 if told else in_pieces(100, 100_000)
        answer = await stage.api.post(f"http://stage{path}", content=content, headers=headers)
        problem = problem_of(answer)
        assert (problem["status"], problem["code"]) == (413, "too_large"), path


async def test_body_within_the_limit_is_read(stage):
    body = b'{"phone": "1"' + b" " * 60_000 + b"}"
    assert problem_of(await stage.api.post("/sign-in/otp", content=body, headers=JSON))["code"] == "bad_phone"


@pytest.mark.parametrize("text", ["x", "0", "-1", "101", "1e3", "１", ""])
async def test_limit_of_a_page(stage, text):
    person = await stage.resident(invited=True)
    await person.sign_in()
    for path in ("/draws", "/loans", "/cards", "/calendar"):
        problem = problem_of(await person.call("GET", f"{path}?limit={text}"))
        assert (problem["status"], problem["code"], problem["fields"]) == (422, "invalid_request", "limit")


@pytest.mark.parametrize("text", ["x", "1", "00000000-0000-4000-8000-00000000000", "' or 1=1", "%00"])
async def test_what_is_no_id(stage, text):
    person = await stage.resident(invited=True)
    await person.sign_in()
    for path in ("/draws/{}", "/draws/{}/progress", "/loans/{}"):
        problem = problem_of(await person.call("GET", path.format(text)))
        assert (problem["status"], problem["code"]) == (422, "invalid_request")


async def test_a_broken_invariant_is_told_as_internal_and_logged(stage):
    """What goes wrong inside is nobody's business outside."""
    app = stage.api._transport.app
    clock = app.state.clock

    def broken():
        raise RuntimeError("the secret is 42")

    app.state.clock = broken
    try:
        with structlog.testing.capture_logs() as logs:
            answer = await stage.api.get("/meta")
    finally:
        app.state.clock = clock
    problem = problem_of(answer)
    assert (problem["status"], problem["code"]) == (500, "internal")
    assert problem["detail"] == TEXTS["internal"]["zh"]
    for name, value in SECURITY_HEADERS:
        assert answer.headers.get_list(name.decode()) == [value.decode()]
    assert "42" not in answer.text
    assert [log["event"] for log in logs] == ["request_broken"]


async def test_an_answer_that_breaks_after_it_began_is_broken_off_and_logged():
    """Nothing may be put behind what was sent already as if it belonged to it."""

    async def half():
        yield "half"
        raise RuntimeError("no more")

    async def tell():
        return StreamingResponse(half())

    app = make_app(pages=Path("/nowhere"))
    app.add_api_route("/half", tell)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://stage") as client:
        with structlog.testing.capture_logs() as logs, pytest.raises(RuntimeError, match="no more"):
            await client.get("/half")
    assert [(log["event"], log["path"]) for log in logs] == [("request_broken", "/half")]


async def test_log_of_a_broken_request_shows_where_and_nobodys_data(stage, capsys):
    app = stage.api._transport.app
    clock = app.state.clock

    def broken():
        phone = "1991234" + "5678"
        raise RuntimeError(f"a phone of {len(phone)} digits")

    app.state.clock = broken
    try:
        await stage.api.get("/meta")
    finally:
        app.state.clock = clock
    told = "".join(capsys.readouterr())
    assert "RuntimeError: a phone of 11 digits" in told
    assert "in broken" in told
    assert "19912345678" not in told


async def test_pages_and_problems_carry_the_headers_that_keep_others_out(stage):
    for path in ("http://stage/", "http://stage/healthz", "http://stage/api/v1/wallet"):
        answer = await stage.api.get(path)
        assert "default-src 'self'" in answer.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/..%2f..%2fpyproject.toml", "/%2e%2e/%2e%2e/pyproject.toml", "//etc/passwd"])
async def test_pages_are_served_from_their_folder_only(stage, path):
    answer = await stage.api.get(f"http://stage{path}")
    assert "requires-python" not in answer.text
    assert "root:" not in answer.text


async def test_health_is_told_to_anybody(stage):
    answer = await Borrower(stage, None, 0).call("GET", "http://stage/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
