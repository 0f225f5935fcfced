"""What a person sees of the sandbox in a browser: the inbox of every phone, a resident's papers, the faults."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from jinja2 import Environment, FileSystemLoader
from pydantic import BaseModel

from grainline.kit.calendar import SHANGHAI
from grainline.kit.money import yuan
from grainline.sandbox import faults, rail_store, store
from grainline.sandbox.context import TheSandbox, no_such
from grainline.sandbox.fault_rules import KNOWN, Mode, Name, Partner

router = APIRouter()
SHOWN_MAX = 100
# The pages work with what they carry themselves; nothing may be fetched from elsewhere.
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self';"
    " img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

PARTNER_NAMES = {
    Partner.IDENTITY_AUTHORITY: ("身份核验机构", "Identity authority"),
    Partner.CARD_NETWORK: ("银行卡网络", "Card network"),
    Partner.RAIL: ("支付通道", "Payment rail"),
    Partner.SMS: ("短信网关", "SMS gateway"),
    Partner.BUREAU: ("征信机构", "Credit bureau"),
}
FAULT_NAMES = {
    Name.DOWN: ("停机：所有调用返回 503", "Down: every call answers 503"),
    Name.LOST_REQUEST: ("请求丢失：未处理，无应答", "Request lost: not processed, no answer"),
    Name.LOST_ANSWER: ("应答丢失：已处理，无应答", "Answer lost: processed, no answer"),
    Name.SLOW: ("应答迟缓", "Slow answer"),
    Name.REJECT: ("拒绝", "Reject"),
    Name.STAYS_PROCESSING: ("一直处理中", "Stays processing"),
    Name.DUPLICATE_CALLBACK: ("重复回调", "Duplicate callback"),
    Name.LATE_CALLBACK: ("延迟回调", "Late callback"),
    Name.CONTRADICTORY_CALLBACK: ("矛盾回调", "Contradictory callback"),
}
MODE_NAMES = {
    Mode.OFF: ("关闭", "off"),
    Mode.PROBABILITY: ("按概率", "with a probability"),
    Mode.NEXT: ("接下来 n 次", "the next n"),
}


class MessageShown(BaseModel):
    """A text message in the inbox."""

    message_id: int
    key: str
    phone: str
    text: str
    received_at: datetime


class PapersShown(BaseModel):
    """Everything a resident holds in their hands."""

    number: int
    phone: str
    name: str
    national_id: str
    born_on: str
    bank: str
    card_number: str
    card_closed: bool
    agreement: str
    agreement_signed: bool
    balance_fen: int


def _local(instant: datetime) -> str:
    return instant.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")


_templates = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.filters["local"] = _local
_templates.filters["yuan"] = yuan

Phone = Annotated[str | None, Query(max_length=20)]


@router.get("/", include_in_schema=False)
def start(sandbox: TheSandbox) -> Response:
    """Show where everything is."""
    with sandbox.store.transaction() as tx:
        count = store.count_residents(tx)
    return _page("start.html", residents=count, now=sandbox.clock())


@router.get("/inbox", include_in_schema=False)
def inbox(sandbox: TheSandbox, phone: Phone = None) -> Response:
    """Show the messages of one phone or of all, newest first; the page refreshes itself."""
    phone = (phone or "").strip() or None
    with sandbox.store.transaction() as tx:
        found = store.messages(tx, phone=phone, count=SHOWN_MAX)
    return _page("inbox.html", messages=found, phone=phone, shown_max=SHOWN_MAX, now=sandbox.clock())


@router.get("/inbox.json")
def inbox_json(
    sandbox: TheSandbox, phone: Phone = None, limit: Annotated[int, Query(ge=1, le=SHOWN_MAX)] = 20
) -> list[MessageShown]:
    """List the messages of one phone or of all, newest first."""
    with sandbox.store.transaction() as tx:
        found = store.messages(tx, phone=phone, count=limit)
    return [MessageShown.model_validate(vars(message)) for message in found]


@router.get("/resident.json")
def resident_json(sandbox: TheSandbox, phone: Annotated[str, Query(max_length=20)]) -> PapersShown:
    """Show a resident's papers, card and balance."""
    papers = _papers(sandbox, phone)
    if papers is None:
        no_such("resident")
    return papers


@router.get("/resident", include_in_schema=False)
def resident(sandbox: TheSandbox, phone: Phone = None) -> Response:
    """Show a resident's papers, to be typed where the platform asks for them."""
    phone = (phone or "").strip()
    return _page("resident.html", phone=phone, papers=_papers(sandbox, phone))


@router.get("/faults")
def knob(request: Request, sandbox: TheSandbox) -> Response:
    """Show the faults: a page to a browser, JSON to a program."""
    with sandbox.store.transaction() as tx:
        found = faults.all_faults(tx)
    if "text/html" not in request.headers.get("Accept", ""):
        return JSONResponse([faults.shown(fault).model_dump(mode="json") for fault in found])
    by_partner = [
        (partner, PARTNER_NAMES[partner], [fault for fault in found if fault.partner is partner]) for partner in KNOWN
    ]
    return _page("faults.html", partners=by_partner, fault_names=FAULT_NAMES, mode_names=MODE_NAMES)


def _papers(sandbox: TheSandbox, phone: str) -> PapersShown | None:
    with sandbox.store.transaction() as tx:
        papers = store.papers_by_phone(tx, phone)
        account = rail_store.account(tx, papers.agreement) if papers else None
    if papers is None or account is None:
        return None
    return PapersShown(
        number=papers.number,
        phone=papers.phone,
        name=papers.name,
        national_id=papers.national_id,
        born_on=papers.born_on,
        bank=papers.bank,
        card_number=papers.card_number,
        card_closed=papers.closed,
        agreement=papers.agreement,
        agreement_signed=papers.signed,
        balance_fen=account.balance_fen,
    )


def _page(template: str, **values: object) -> Response:
    text = _templates.get_template(template).render(**values)
    return HTMLResponse(text, headers={"Content-Security-Policy": POLICY, "Cache-Control": "no-store"})
