"""The device's summary, from the page to the server: it opens there, and nothing of it goes out in the clear."""

import base64
import json
import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Request, expect
from walk import Walk

from grainline.entry.settings import Settings
from grainline.guard.environment import Summary, fields, read_summary
from grainline.guard.environment_keys import LenderKeys
from grainline.kit.sealing import token_hash

pytestmark = pytest.mark.browser

# takes X25519 away from the page, as it is missing in browsers of before 2025
WITHOUT_X25519 = """() => {
  const own = crypto.subtle.generateKey.bind(crypto.subtle)
  crypto.subtle.generateKey = (kind, ...rest) => {
    if (kind !== 'X25519' && kind?.name !== 'X25519') return own(kind, ...rest)
    window.refused = true
    return Promise.reject(new DOMException('no', 'NotSupportedError'))
  }
}"""


class Watch:
    """Every request of the pages, as it went out."""

    def __init__(self, walk: Walk) -> None:
        self.sent: list[tuple[str, str, str]] = []
        walk.page.on("request", self._on_request)

    def _on_request(self, request: Request) -> None:
        path = urlsplit(request.url).path.removeprefix("/api/v1")
        self.sent.append((f"{request.method} {path}", request.url, request.post_data or ""))

    def bodies(self, call: str) -> list[str]:
        return [body for made, _, body in self.sent if made == call]


def opened(walk: Walk, body: str) -> Summary:
    """Open a sealed summary with the lender's own key, as the server does."""
    given = json.loads(body)
    assert set(given) == {"key_id", "sealed"}
    token = walk.page.evaluate("localStorage.getItem('grainline.token')")
    keys = LenderKeys(Settings(data=walk.platform.folder / "data").read_lender_keys())
    content = keys.open(
        decoded(given["sealed"]), key_id=given["key_id"], version=1, token_hash=token_hash(decoded(token)[8:])
    )
    return read_summary(content)


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def in_the_clear(watch: Watch, summary: Summary) -> list[str]:
    """Find a field's name, or a word of the summary, in what the pages sent."""
    words = {one.name for one in fields()} | {v for v in summary.values.values() if isinstance(v, str)}
    words |= {str(summary.summary_id), "made_at"}
    # words of other things too: of the path of a product, of what a page loads, of a language
    told = [word for word in words if len(word) > 4 and word not in {"language", "platform", "other"}]
    found = []
    for call, url, body in watch.sent:
        if call.startswith("GET /assets/"):
            continue
        text = url + "\n" + body
        found += [f"{word} in {call}" for word in told if re.search(rf"\b{re.escape(word)}\b", text)]
        if call == "POST /environment":
            plain = decoded(json.loads(body)["sealed"])
            found += [f"{word} in the sealing" for word in told if word.encode() in plain]
    return found


def test_a_summary_goes_out_sealed_only_where_it_is_agreed_to(walk: Callable[[str], Walk]) -> None:
    ming = walk("device")
    watch = Watch(ming)
    ming.go("/", "sign-in")
    ming.sign_in(ming.platform.invited)
    ming.arrive("me")
    papers = ming.platform.papers(ming.platform.invited)
    ming.page.goto("/credit/real-name")
    ming.arrive("real-name")
    ming.type("name", papers.name)
    ming.type("national-id", papers.national_id)
    ming.tap("submit")
    ming.arrive("credit")
    ming.page.goto("/credit/card")
    ming.arrive("card")
    ming.type("card-number", papers.card_number)
    ming.type("card-phone", papers.phone)
    ming.tap("submit")
    ming.arrive("credit")
    ming.page.goto("/credit/consents")
    ming.arrive("give-consents")
    ming.on("consent-bureau").click()
    ming.tap("give-consents")
    ming.arrive("credit")
    ming.go("/credit/line", "line")
    switch = ming.on("device-switch")
    expect(switch).to_have_attribute("aria-checked", "false")
    ming.look("line")
    ming.tap("device-what")
    expect(ming.on("device-zone")).to_have_text("其他地区")  # the browser is said to be in Lisbon
    expect(ming.on("device-fields").locator("dd")).to_have_count(len(fields()))
    ming.look("line-what")
    assert ming.page.evaluate("localStorage.getItem('grainline.work.usage')") in {None, "null"}
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(ming.on("device-agreed")).to_be_visible()
    assert watch.bodies("POST /environment") == []  # agreeing sends nothing yet
    ming.on("student-no").check()
    with ming.page.expect_response("**/api/v1/environment") as answer:
        ming.tap("apply")
    assert answer.value.status == 204
    expect(ming.on("line-opened")).to_be_visible()
    [body] = watch.bodies("POST /environment")
    summary = opened(ming, body)
    assert summary.moment == "open_line"
    assert summary.values["zone"] == "elsewhere"
    assert summary.values["browser"] == "chrome"
    assert summary.values["language"] == "zh"
    assert summary.values["known"] == "today"
    assert in_the_clear(watch, summary) == []

    _sign_without_the_browsers_own_x25519(ming, watch)
    _withdraw(ming)


def _withdraw(ming: Walk) -> None:
    switch = ming.on("device-switch")
    ming.go("/me", "me")
    ming.tap("device")
    ming.arrive("device")
    expect(switch).to_have_attribute("aria-checked", "true")
    ming.look("on")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "false")
    assert ming.page.evaluate("localStorage.getItem('grainline.work.usage')") in {None, "null"}
    ming.tap("device-what")
    expect(ming.on("device-fields")).to_be_visible()
    ming.look("off")


def _sign_without_the_browsers_own_x25519(ming: Walk, watch: Watch) -> None:
    ming.page.add_init_script(f"({WITHOUT_X25519})()")
    ming.go("/borrow", "borrow")
    ming.type("amount", "1000")
    ming.on("purpose-travel").check()
    ming.tap("next")
    expect(ming.on("disclosure-agree")).to_be_enabled(timeout=20_000)
    code = ming.ask_for_code(ming.platform.invited, by="disclosure-agree")
    ming.arrive("contract")
    expect(ming.on("device-switch")).to_have_attribute("aria-checked", "true")
    ming.look("contract")
    ming.type("code", code)
    with ming.page.expect_response("**/api/v1/environment") as answer:
        ming.tap("sign")
    assert answer.value.status == 204
    ming.arrive("draw")
    [_, body] = watch.bodies("POST /environment")
    summary = opened(ming, body)
    assert summary.moment == "sign"
    assert in_the_clear(watch, summary) == []
    assert ming.page.evaluate("window.refused") is True  # and what seals with the browser's own makes such a key too


def test_the_search_for_words_in_the_clear_finds_one(walk: Callable[[str], Walk]) -> None:
    leaking = walk("device-leak")
    watch = Watch(leaking)
    leaking.go("/", "sign-in")
    leaking.page.evaluate("fetch('/api/v1/meta?zone=elsewhere&pace=under_10s').then((answer) => answer.text())")
    values = {one.name: "under_10s" if one.name == "pace" else False for one in fields()}
    summary = Summary(summary_id=None, made_at=None, moment=None, values=values)  # type: ignore[arg-type]
    assert "under_10s in GET /meta" in in_the_clear(watch, summary)
