"""A device's summary over the API: taken in once, fresh, in its own session, with consent, and forgotten."""

import base64
import json
import re
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from grainline.entry.settings import PROJECT_ROOT
from grainline.guard import environment_facts, forget_environments, newest_environment
from grainline.guard.environment import EnvironmentMalformed, Moment, Summary, fields, read_summary
from grainline.guard.environment_keys import SUITE, binding
from grainline.guard.environment_taking import DAY_MAX, SEALED_BYTES_MAX
from grainline.kit.db import transaction
from grainline.kit.sealing import token_hash
from stage import Borrower, Stage

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PHONE: dict[str, dict[str, Any]] = {
    "environment": {
        "platform": "android",
        "browser": "wechat",
        "browser_major": 8,
        "language": "zh",
        "languages": 2,
        "zone": "china",
        "screen": "small",
        "touch": True,
        "driven": False,
        "storage": True,
    },
    "usage": {
        "known": "month",
        "sessions": "few",
        "night": False,
        "morning": True,
        "afternoon": True,
        "evening": False,
        "pace": "under_1min",
        "times_left": 0,
    },
}


def said(now: datetime, **more: Any) -> dict[str, Any]:
    """A summary as a device makes it."""
    made = {"id": str(uuid.uuid4()), "made_at_ms": int(now.timestamp() * 1000), "moment": "sign"}
    return made | {part: dict(values) for part, values in PHONE.items()} | more


async def sealed(person: Borrower, summary: object, *, session_of: Borrower | None = None) -> dict[str, str]:
    """Seal as the page does, with what the API gives."""
    key = (await person.stage.api.get("/environment/key")).json()
    token = (session_of or person).headers["Authorization"].removeprefix("Bearer ")
    hashed = token_hash(decoded(token)[8:])
    content = summary if isinstance(summary, bytes) else json.dumps(summary).encode()
    public = X25519PublicKey.from_public_bytes(decoded(key["public_key"]))
    info = binding(key["key_id"], version=key["version"], token_hash=hashed)
    text = base64.urlsafe_b64encode(SUITE.encrypt(content, public, info)).rstrip(b"=").decode()
    return {"key_id": key["key_id"], "sealed": text}


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def member(stage: Stage, *, consents: bool = True) -> Borrower:
    person = await stage.resident(invited=True)
    await person.sign_in()
    if consents:
        await person.post("/consents", {"sources": ["device"]})
        stage.tick(1)
    return person


async def held(stage: Stage, person: Borrower) -> int:
    [[count]] = await stage.rows("select count(*) from guard.environments where member_id = %s", person.member_id)
    return int(count)


async def newest(stage: Stage, person: Borrower) -> Summary | None:
    async with transaction(stage.platform.pool) as tx:
        return await newest_environment(tx, stage.platform.vault, member_id=person.member_id)


@pytest.mark.anyio
async def test_a_summary_is_taken_in_and_can_be_asked_for_facts(stage: Stage) -> None:
    person = await member(stage)
    told = said(stage.clock())
    await person.post("/environment", await sealed(person, told))
    kept = await newest(stage, person)
    assert kept is not None
    assert kept.values == {**PHONE["environment"], **PHONE["usage"]}
    assert (str(kept.summary_id), kept.moment) == (told["id"], Moment.SIGN)
    assert environment_facts(kept)["device"] == "phone"
    [[consent, forget_on, content]] = await stage.rows(
        "select consent, forget_on, summary_sealed from guard.environments where member_id = %s", person.member_id
    )
    assert re.match(r"device/\d{4}-\d\d-\d\d/\d{4}-", consent)
    assert forget_on == stage.today() + timedelta(days=180)
    assert not any(word in content for word in (b"android", b"wechat", b"platform"))


@pytest.mark.anyio
async def test_the_same_summary_is_taken_in_once(stage: Stage) -> None:
    person = await member(stage)
    body = await sealed(person, told := said(stage.clock()))
    await person.post("/environment", body)
    assert (await person.refused("/environment", body))["code"] == "environment_replayed"
    anew = await sealed(person, told | {"moment": "open_line"})  # sealed anew under the same id
    assert (await person.refused("/environment", anew))["code"] == "environment_replayed"
    assert await held(stage, person) == 1


@pytest.mark.anyio
async def test_what_was_not_made_just_now_is_refused(stage: Stage) -> None:
    person = await member(stage)
    stage.tick(3600)
    for seconds, code in ((-301, "environment_stale"), (61, "environment_stale"), (-295, None), (55, None)):
        body = await sealed(person, said(stage.clock() + timedelta(seconds=seconds)))
        answer = await person.call("POST", "/environment", body)
        assert (answer.json()["code"] if answer.content else None) == code, seconds
    body = await sealed(person, said(stage.clock()))
    stage.tick(301)  # good when it was sealed
    refused = await person.refused("/environment", body)
    assert (refused["code"], refused["status"]) == ("environment_stale", 409)
    assert "5" in refused["detail"]


@pytest.mark.anyio
async def test_nothing_is_taken_in_without_consent_nor_from_before_it(stage: Stage) -> None:
    person = await member(stage, consents=False)
    early = await sealed(person, said(stage.clock()))
    refused = await person.refused("/environment", early)
    assert (refused["code"], refused["status"]) == ("consent_needed", 403)
    stage.tick(1)
    await person.post("/consents", {"sources": ["device", "social"]})
    assert (await person.refused("/environment", early))["code"] == "environment_stale"
    assert await held(stage, person) == 0


@pytest.mark.anyio
async def test_withdrawing_deletes_at_once_and_a_summary_of_before_does_not_come_back(stage: Stage) -> None:
    person, other = await member(stage), await member(stage)
    body = await sealed(person, said(stage.clock()))
    await person.post("/environment", body)
    await other.post("/environment", await sealed(other, said(stage.clock())))
    assert (await person.call("DELETE", "/environment")).status_code == 204
    assert (await held(stage, person), await held(stage, other)) == (0, 1)
    assert (await person.refused("/environment", body))["code"] == "consent_needed"
    stage.tick(1)
    await person.post("/consents", {"sources": ["device"]})
    assert (await person.refused("/environment", body))["code"] == "environment_stale"


@pytest.mark.anyio
async def test_withdrawn_by_the_general_switch_it_is_not_read_and_is_swept(stage: Stage) -> None:
    person, other = await member(stage), await member(stage)
    for one in (person, other):
        await one.post("/environment", await sealed(one, said(stage.clock())))
    assert (await person.call("DELETE", "/consents/device")).is_success
    assert await newest(stage, person) is None
    await stage.pass_days(1)
    assert (await held(stage, person), await held(stage, other)) == (0, 1)


@pytest.mark.anyio
async def test_what_was_kept_long_enough_is_deleted(stage: Stage) -> None:
    person = await member(stage)
    await person.post("/environment", await sealed(person, said(stage.clock())))
    await forget_environments(stage.platform.pool, today=stage.today() + timedelta(days=179))
    assert await held(stage, person) == 1
    await forget_environments(stage.platform.pool, today=stage.today() + timedelta(days=180))
    assert await held(stage, person) == 0


@pytest.mark.anyio
async def test_it_opens_in_the_session_it_was_made_in_only(stage: Stage) -> None:
    person, other = await member(stage), await member(stage)
    stolen = await sealed(person, said(stage.clock()))
    assert (await other.refused("/environment", stolen))["code"] == "environment_not_opened"
    stage.tick(61)
    before = dict(person.headers)
    await person.sign_in()  # the same member, another session
    assert before != person.headers
    assert (await person.refused("/environment", stolen))["code"] == "environment_not_opened"
    assert (await other.call("POST", "/environment", stolen, Authorization="Bearer x")).status_code == 401


@pytest.mark.anyio
async def test_what_does_not_open_or_is_too_large_is_told_apart(stage: Stage) -> None:
    person = await member(stage)
    good = await sealed(person, said(stage.clock()))
    changed = good["sealed"][:-5] + ("A" if good["sealed"][-5] != "A" else "B") + good["sealed"][-4:]
    for body, code, status in (
        (good | {"sealed": changed}, "environment_not_opened", 422),
        (good | {"sealed": "ümlaut"}, "environment_not_opened", 422),
        (good | {"sealed": "AAAA"}, "environment_not_opened", 422),
        (good | {"key_id": "0" * 16}, "environment_key_unknown", 409),
        (good | {"key_id": "'; --"}, "invalid_request", 422),
        (good | {"more": 1}, "invalid_request", 422),
        (await sealed(person, b" " * SEALED_BYTES_MAX), "environment_too_large", 413),
    ):
        refused = await person.refused("/environment", body)
        assert (refused["code"], refused["status"]) == (code, status)
    assert await held(stage, person) == 0


@pytest.mark.anyio
async def test_more_than_a_day_can_hold_is_refused(stage: Stage) -> None:
    person = await member(stage)
    for _ in range(DAY_MAX):
        await person.post("/environment", await sealed(person, said(stage.clock())))
    refused = await person.refused("/environment", await sealed(person, said(stage.clock())))
    assert (refused["code"], refused["status"]) == ("environment_too_often", 429)
    assert await held(stage, person) == DAY_MAX


@pytest.mark.anyio
async def test_a_refused_summary_is_told_by_the_field_over_the_api(stage: Stage) -> None:
    person = await member(stage)
    told = said(stage.clock())
    told["environment"]["fonts"] = ["Arial"]
    refused = await person.refused("/environment", await sealed(person, told))
    assert (refused["code"], refused["field"]) == ("environment_malformed", "environment.fonts")
    assert await held(stage, person) == 0


@pytest.mark.anyio
async def test_the_list_of_fields_is_told_in_both_languages(stage: Stage) -> None:
    for language, word in (("zh-CN", "安卓"), ("en", "Android")):
        listed = (await stage.api.get("/environment/fields", headers={"Accept-Language": language})).json()
        assert [one["name"] for one in listed["items"]] == [one.name for one in fields()]
        assert listed["items"][0]["values"]["android"] == word


def changed(part: str, name: str, value: object) -> bytes:
    told = said(EPOCH)
    told[part][name] = value
    return json.dumps(told).encode()


WRONG: list[tuple[bytes, str]] = [
    (b"", "body"),
    (b"[]", "body"),
    (b"\xff", "body"),
    (b"[" * 2000, "body"),
    (b'{"id": 1, "id": 2}', "body"),
    (b"{}", "environment"),
    (changed("environment", "platform", "toaster"), "environment.platform"),
    (changed("environment", "platform", ["android"]), "environment.platform"),
    (changed("environment", "touch", 1), "environment.touch"),
    (changed("environment", "languages", True), "environment.languages"),
    (changed("environment", "browser_major", 1000), "environment.browser_major"),
    (changed("environment", "browser_major", -1), "environment.browser_major"),
    (changed("environment", "browser_major", 8.0), "environment.browser_major"),
    (changed("usage", "times_left", 6), "usage.times_left"),
    (changed("usage", "seconds", 12), "usage.seconds"),
    (changed("usage", "\n\x1b", 12), "usage.\\n\\x1b"),
    *((json.dumps(said(EPOCH, id=bad)).encode(), "id") for bad in ("x", 7, None, "{" + "0" * 32 + "}")),
    *((json.dumps(said(EPOCH, made_at_ms=bad)).encode(), "made_at_ms") for bad in (-1, 2**42, 0.5, "0")),
    *((json.dumps(said(EPOCH, moment=bad)).encode(), "moment") for bad in ("rest", 1, [])),
    *((json.dumps(said(EPOCH, usage=bad)).encode(), "usage") for bad in (None, [], "x")),
]


@pytest.mark.parametrize(("opened", "field"), WRONG)
def test_a_summary_has_exactly_what_the_list_says(opened: bytes, field: str) -> None:
    with pytest.raises(EnvironmentMalformed) as refused:
        read_summary(opened)
    assert refused.value.params["field"] == field


@pytest.mark.parametrize("part", ["environment", "usage"])
def test_no_field_may_be_left_out(part: str) -> None:
    for name in PHONE[part]:
        told = said(EPOCH)
        del told[part][name]
        with pytest.raises(EnvironmentMalformed):
            read_summary(json.dumps(told).encode())


def facts(**values: object) -> dict[str, object]:
    told = said(EPOCH)
    for name, value in values.items():
        told["environment" if name in told["environment"] else "usage"][name] = value
    return dict(environment_facts(read_summary(json.dumps(told).encode())))


def test_facts_are_what_their_description_says() -> None:
    calm = facts()
    assert calm == {
        "moment": "sign",
        "device": "phone",
        "driven": False,
        "contradicts": False,
        "abroad": False,
        "foreign": False,
        "forgets": False,
        "new_here": False,
        "night_owl": False,
        "hurried": False,
        "times_left": 0,
    }
    described = re.findall(r"^ {4}(\w+) {2,}\S", environment_facts.__doc__ or "", re.MULTILINE)
    assert described == list(calm)
    for said_so, differs in (
        ({"driven": True}, {"driven": True}),
        ({"touch": False}, {"contradicts": True}),
        ({"screen": "large"}, {"contradicts": True, "device": "tablet"}),
        ({"screen": "medium"}, {"device": "tablet"}),
        ({"platform": "windows"}, {"device": "desk"}),
        ({"platform": "windows", "screen": "large", "touch": False}, {"device": "desk"}),
        ({"zone": "asia"}, {"abroad": True}),
        ({"language": "en"}, {"foreign": True}),
        ({"storage": False}, {"forgets": True}),
        ({"known": "today"}, {"new_here": True}),
        ({"night": True}, {"night_owl": True}),
        ({"pace": "under_10s"}, {"hurried": True}),
        ({"times_left": 4}, {"times_left": 4}),
    ):
        assert facts(**said_so) == calm | differs


def test_the_fields_in_the_documentation_are_those_of_the_list() -> None:
    text = (PROJECT_ROOT / "docs" / "federated.md").read_text(encoding="utf-8")
    section = text.split("## On the borrower's device")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| `(\w+)` \| (.+) \|$", section, re.MULTILINE)
    assert rows == [(one.part, one.name, _range(one)) for one in fields()]


def _range(one: Any) -> str:
    if one.values:
        return ", ".join(f"`{value}`" for value in one.values)
    return f"{one.low} to {one.high}" if one.high is not None else "yes or no"
