"""A person with a phone in their hand: what they tap and type, and what must hold on every page they see."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Locator, Page, Request, Response, expect

from grainline.sandbox.client import CODE
from platform_process import PlatformProcess
from sandbox_process import until

LANGUAGE = "zh-CN"
PHONE_SIZE = (360, 780)
DESK_SIZE = (1280, 800)
AXE = Path(__file__).resolve().parents[2] / "web" / "borrower" / "node_modules" / "axe-core" / "axe.min.js"
OVERFLOW = """() => {
  const page = document.scrollingElement
  return page.scrollWidth > page.clientWidth ? [`page ${page.scrollWidth} > ${page.clientWidth}`] : []
}"""
# What is cut off by its own box, and what reaches out of the window. Drawings are cut on purpose, and hidden words too.
CRAMPED = """() => [...document.querySelectorAll('body *')].filter((one) => {
  const box = one.getBoundingClientRect(), style = getComputedStyle(one)
  const drawn = one.closest('svg') || one.querySelector('svg') || one.tagName === 'INPUT'
  if (!box.width || !box.height || style.clipPath !== 'none' || one.closest('.visually-hidden')) return false
  const cut = !drawn && style.overflowX !== 'visible' && one.scrollWidth > one.clientWidth + 1
  return cut || (!one.closest('svg') && (box.right > innerWidth + 1 || box.left < -1))
}).map((one) => `${one.tagName}.${one.className}: ${one.textContent.trim().slice(0, 40)}`)"""
TIMEOUT_MS = 15_000


@dataclass
class Walk:
    """One browser that walks the pages; it remembers what went wrong on the way."""

    platform: PlatformProcess
    page: Page
    folder: Path
    name: str
    wrong: list[str] = field(default_factory=list)
    refusals: list[tuple[str, int]] = field(default_factory=list)
    looks: int = 0

    def __post_init__(self) -> None:
        self.page.set_default_timeout(TIMEOUT_MS)
        self.page.on("request", self._on_request)
        self.page.on("response", self._on_response)
        self.page.on("console", self._on_console)
        self.page.on("pageerror", lambda error: self.wrong.append(f"error in the page: {error}"))

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"} and f"{address.scheme}://{address.netloc}" != self.platform.url:
            self.wrong.append(f"a request left for {request.url}")

    def _on_response(self, response: Response) -> None:
        if response.status >= 400:
            self.refusals.append((re.sub(r"[0-9a-f-]{36}", "…", urlsplit(response.url).path), response.status))

    def _on_console(self, message: ConsoleMessage) -> None:
        # The browser itself reports each refusal; those are counted, and expected one by one.
        if message.type in {"error", "warning"} and not message.text.startswith("Failed to load resource"):
            self.wrong.append(f"console {message.type}: {message.text}")

    def check_nothing_went_wrong(self) -> None:
        """Raise when anything but the refusals that were expected happened on the way."""
        assert self.wrong == []
        assert self.refusals == []

    def expect_refusal(self, path: str, status: int) -> None:
        """Take the one refusal that the server gave out of the account."""
        assert self.refusals == [(f"/api/v1{path}", status)]
        self.refusals.clear()

    def on(self, hook: str) -> Locator:
        """Return what carries a hook for tests."""
        return self.page.locator(f'[data-test="{hook}"]')

    def tap(self, hook: str) -> None:
        self.on(hook).click()

    def type(self, hook: str, text: str) -> None:
        self.page.locator(f'input[data-test="{hook}"], [data-test="{hook}"] input').fill(text)

    def arrive(self, route: str) -> None:
        """Wait until a page is there and has what it shows."""
        expect(self.on(f"page-{route}")).to_be_visible()
        expect(self.on("loading")).to_have_count(0)

    def back(self, route: str) -> None:
        self.tap("back")
        self.arrive(route)

    def go(self, path: str, route: str) -> None:
        self.page.goto(path)
        self.arrive(route)

    def look(self, what: str, *, desk: bool = True) -> None:
        """Leave a screenshot as it is on a phone and on a desk, and check that nothing is cut off on either."""
        self.looks += 1
        name = f"{self.name}-{self.looks:02d}-{what}"
        sizes = {"360": PHONE_SIZE} | ({"1280": DESK_SIZE} if desk else {})
        for label, (width, height) in sizes.items():
            self.page.set_viewport_size({"width": width, "height": height})
            # On the picture of a whole page the bars that stay at its edges would lie over the middle of it.
            self.page.screenshot(
                path=self.folder / f"{name}-{label}.png",
                full_page=True,
                animations="disabled",
                style=".bar, .footer { position: static !important }",
            )
            for check in (OVERFLOW, CRAMPED):
                found = self.page.evaluate(check)
                assert found == [], f"{name} at {label}: {found}"
        width, height = PHONE_SIZE
        self.page.set_viewport_size({"width": width, "height": height})
        self._accessible(name)

    def _accessible(self, name: str) -> None:
        """Let axe judge the page, where it is installed beside the pages' own packages."""
        if not AXE.is_file():
            return
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        found = self.page.evaluate("async () => (await axe.run()).violations.map((v) => `${v.id}: ${v.nodes[0].html}`)")
        assert found == [], name

    def next_code(self, phone: str, *, after: int) -> str:
        """Wait for a message newer than `after` that carries a code, and read the code."""

        def look() -> str | None:
            for message in self.platform.hands().inbox(phone):
                if message.message_id > after and (found := CODE.search(message.text)):
                    return found[0]
            return None

        return until(look, what=f"a code for {phone}")

    def ask_for_code(self, phone: str, *, by: str) -> str:
        """Tap what sends a code, and read it in the inbox."""
        before = self.platform.newest_message(phone)
        self.tap(by)
        return self.next_code(phone, after=before)

    def sign_in(self, phone: str) -> None:
        """Fill in the sign-in page and get past it, later than the pause between two codes to one phone."""
        self.platform.pass_time(timedelta(seconds=61))
        self.type("phone", phone)
        self.type("code", self.ask_for_code(phone, by="send-code"))
        self.tap("sign-in")


def wrong(code: str) -> str:
    """Return a code that is not this one."""
    return f"{(int(code) + 1) % 1_000_000:06d}"
