"""The platform as a test uses it: the API in this process, real partners in another, time moved by hand."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Any

import httpx

from grainline.desk import Finding, verify
from grainline.entry.http import equip, make_app
from grainline.entry.sandbox_days import advance
from grainline.entry.settings import Settings
from grainline.entry.wiring import Platform, wire
from grainline.entry.worker import drain
from grainline.invitation import MonthlyEvaluation, add_evaluations
from grainline.kit.calendar import at, business_date
from grainline.kit.db import transaction
from grainline.kit.money import Fen, RateE8
from grainline.lines import open_line
from grainline.loans import Event, EventKind, record_event
from grainline.members import create_members
from grainline.sandbox.client import SandboxClient
from grainline.sandbox.clock import SandboxClock
from grainline.sandbox.pages import PapersShown
from sandbox_process import SECRET, Running


@dataclass
class Stage:
    """Everything a test may take hold of."""

    platform: Platform
    clock: SandboxClock
    town: Running
    hands: SandboxClient
    api: httpx.AsyncClient
    owner_url: str
    app_url: str

    def today(self) -> date:
        return business_date(self.clock())

    def tick(self, seconds: float) -> None:
        """Let time pass with nobody working."""
        self.clock.advance_to(self.clock() + timedelta(seconds=seconds))

    async def pass_days(self, days: int) -> None:
        """Let days pass, each with its work."""
        await advance(self.platform, self.clock, days=days, told=lambda _: None)

    async def work(self) -> None:
        """Do everything that is due now."""
        await drain(self.platform)

    async def proof(self) -> list[Finding]:
        """Return what `grainline verify` would find; empty is the proof."""
        return (await verify(self.platform.pool))[1]

    async def rows(self, sql: str, *params: object) -> list[tuple[Any, ...]]:
        """Ask the database, as the app's role."""
        async with self.platform.pool.connection() as connection:
            return await (await connection.execute(sql, params)).fetchall()

    async def resident(self, *, invited: bool, line_fen: int = 5_000_000, rate_e8: int = 50_000) -> "Borrower":
        """A resident of the town whom no other test has met, evaluated for this month, not signed in."""
        papers = self.town.someone()
        now = self.clock()
        async with transaction(self.platform.pool) as tx:
            members = await create_members(tx, self.platform.vault, [papers.phone], now=now)
            evaluation = MonthlyEvaluation(
                member_id=members[papers.phone],
                product=self.platform.pack.product.code,
                month=self.today().replace(day=1),
                pd_e6=50_000 if invited else 400_000,
                invited=invited,
                tier="prime" if invited else None,
                line_fen=line_fen if invited else None,
                rate_e8=rate_e8 if invited else None,
                reasons=("line_by_capacity",) if invited else ("recent_delay",),
                model="test",
                evaluated_at=now,
                expires_on=self.today() + timedelta(days=60) if invited else None,
            )
            await add_evaluations(tx, [evaluation])
        return Borrower(self, papers, members[papers.phone])

    async def borrower(self, *, line_fen: int = 5_000_000, rate_e8: int = 50_000) -> "Borrower":
        """An invited resident who has signed in, verified, bound a card and opened the line."""
        person = await self.resident(invited=True, line_fen=line_fen, rate_e8=rate_e8)
        await person.sign_in()
        await person.post("/identity", person.identity())
        await person.post("/cards", person.card())
        await person.hold_line(line_fen=line_fen, rate_e8=rate_e8)
        return person


@dataclass
class Borrower:
    """A person with a phone: what they hold in their hands, and what they do over the API."""

    stage: Stage
    papers: PapersShown
    member_id: int
    headers: dict[str, str] = field(default_factory=dict)

    def identity(self) -> dict[str, str]:
        return {"name": self.papers.name, "national_id": self.papers.national_id}

    def card(self) -> dict[str, str]:
        return {"number": self.papers.card_number, "phone": self.papers.phone}

    async def call(self, method: str, path: str, body: object = None, **headers: str) -> httpx.Response:
        """Call the API as this person; whatever it answers comes back."""
        return await self.stage.api.request(method, path, json=body, headers=self.headers | headers)

    async def get(self, path: str) -> Any:
        return _right(await self.call("GET", path))

    async def post(self, path: str, body: object, *, key: str | None = None) -> Any:
        headers = {"Idempotency-Key": key} if key else {}
        return _right(await self.call("POST", path, body, **headers))

    async def refused(self, path: str, body: object, *, key: str | None = None) -> dict[str, Any]:
        """Post what must be refused, and return the problem."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.call("POST", path, body, **headers)
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        assert answer.status_code == answer.json()["status"]
        return answer.json()

    async def code(self) -> str:
        """Read the newest code from the phone."""
        await self.stage.work()
        code = self.stage.hands.latest_code(self.papers.phone)
        assert code is not None
        return code

    async def sign_in(self) -> None:
        await self.post("/sign-in/otp", {"phone": self.papers.phone})
        session = await self.post("/sign-in", {"phone": self.papers.phone, "code": await self.code()})
        self.headers = {"Authorization": f"Bearer {session['token']}"}

    async def hold_line(self, *, line_fen: int, rate_e8: int, tier: str = "prime", product: str | None = None) -> None:
        """Hold a line of this size and rate, whatever a decision would have said."""
        async with transaction(self.stage.platform.pool) as tx:
            await open_line(
                tx,
                member_id=self.member_id,
                product=product or self.stage.platform.pack.product.code,
                tier=tier,
                limit_fen=Fen(line_fen),
                rate_e8=RateE8(rate_e8),
                reasons=("line_by_capacity",),
                now=self.stage.clock(),
            )

    async def disclosure(self, yuan: int, *, instalments: int = 5, purpose: str = "travel") -> dict[str, Any]:
        cards = (await self.get("/cards"))["items"]
        body = {"amount_fen": yuan * 100, "instalments": instalments, "purpose": purpose}
        return await self.post("/disclosures", body | {"card_id": cards[0]["card_id"]})

    async def contract(self, yuan: int, *, instalments: int = 5) -> dict[str, Any]:
        """Read the disclosure to its end and get the contract, with its code on the way."""
        shown = await self.disclosure(yuan, instalments=instalments)
        self.stage.tick(61)  # longer than the reading time, and than the pause between two codes
        return await self.post(
            "/contracts", {"disclosure_id": shown["disclosure_id"], "disclosure_hash": shown["hash"]}
        )

    async def signature(self, yuan: int, *, instalments: int = 5) -> dict[str, str]:
        """Everything a draw needs: contract, hash and the code from the phone."""
        made = await self.contract(yuan, instalments=instalments)
        return {"contract_id": made["contract_id"], "contract_hash": made["hash"], "code": await self.code()}

    async def draw(self, yuan: int, *, instalments: int = 5) -> str:
        """Draw, without the money having moved; return the draw's id."""
        body = await self.signature(yuan, instalments=instalments)
        return (await self.post("/draws", body, key=new_key()))["draw_id"]

    async def loan(self, yuan: int, *, instalments: int = 5) -> str:
        """Draw and be paid; return the loan's id."""
        draw_id = await self.draw(yuan, instalments=instalments)
        await self.stage.work()
        assert (await self.get(f"/draws/{draw_id}"))["state"] == "paid"
        return draw_id

    async def repay(self, loan_id: str, fen: int) -> None:
        """Repay by hand, and have it collected."""
        await self.post(f"/loans/{loan_id}/repayments", {"amount_fen": fen}, key=new_key())
        await self.stage.work()

    async def pay_cash(self, loan_id: str, fen: int) -> None:
        """Repay at a counter, where nobody minds if it is more than is owed."""
        event = Event(EventKind.REPAYMENT, self.stage.today(), 0, Fen(fen))
        async with transaction(self.stage.platform.pool) as tx:
            await record_event(
                tx,
                self.stage.platform.pack,
                event,
                member_id=self.member_id,
                loan_id=uuid.UUID(loan_id),
                made_by="officer",
                reason="cash",
                key=new_key(),
                now=self.stage.clock(),
            )


def new_key() -> str:
    """Return an Idempotency-Key that was never used."""
    return str(uuid.uuid4())


def _right(answer: httpx.Response) -> Any:
    assert answer.is_success, answer.text
    return answer.json() if answer.content else None


@asynccontextmanager
async def open_stage(databases: tuple[str, str], town: Running) -> AsyncIterator[Stage]:
    """Wire the platform to a database and a sandbox for the length of a block."""
    owner_url, app_url = databases
    settings = Settings(data=town.folder, partners_url=town.url, partner_secret=SECRET.hex(), sandbox=True)
    async with wire(settings, app_url, pool_size=12) as platform:
        assert isinstance(platform.clock, SandboxClock)
        # noon, so that what a day does in the morning is done on the day a test has come to
        clock = platform.clock
        clock.advance_to(at(business_date(clock()) + timedelta(days=1), time(12, 0)))
        app = make_app()
        equip(app, platform)
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://stage/api/v1") as api:
            yield Stage(platform, clock, town, town.hands(), api, owner_url, app_url)
