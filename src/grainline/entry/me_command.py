"""`grainline me …`: a borrower's path in the terminal, over the same API as the pages."""

import json
import uuid
from typing import Annotated, Any

import httpx
import typer
from rich.table import Column, Table

from grainline.entry import settings as env
from grainline.entry.me_api import about, api, out, show, stop, token_file
from grainline.entry.me_apply_command import Product, applying
from grainline.kit.money import read_yuan, yuan

me = typer.Typer(no_args_is_help=True, help="Walk a borrower's path over the API: sign in, borrow, repay.")
me.add_typer(applying)

Yuan = Annotated[int, typer.Argument(help="In whole yuan.")]
Term = Annotated[int, typer.Option("--instalments", help="How many monthly instalments.")]
Shape = Annotated[str | None, typer.Option("--shape", help="A way of repaying the product has.")]


@me.command("code")
def request_code(phone: str) -> None:
    """Have a sign-in code sent to a phone."""
    with api() as call:
        sent = call("POST", "/sign-in/otp", {"phone": phone})
    out.print(f"A code was sent to {sent['sent_to']}; it is good until {sent['expires_at']}.")


@me.command("sign-in")
def sign_in(phone: str, code: str) -> None:
    """Sign in with the code that was sent."""
    with api() as call:
        session = call("POST", "/sign-in", {"phone": phone, "code": code})
    token_file().touch(mode=0o600)
    token_file().write_text(session["token"])
    out.print(f"Signed in until {session['expires_at']}.")


@me.command()
def wallet(product: Product = None) -> None:
    """Show whether you are invited, why not, what is done and what comes next."""
    with api() as call:
        show(call("GET", about("/wallet", product)))


@me.command()
def identity(name: str, national_id: str) -> None:
    """Verify your real name."""
    with api() as call:
        show(call("POST", "/identity", {"name": name, "national_id": national_id}))


@me.command()
def card(number: str, phone: str) -> None:
    """Bind a bank card."""
    with api() as call:
        show(call("POST", "/cards", {"number": number, "phone": phone}))


@me.command()
def line(product: Product = None) -> None:
    """Show your line, and what may be drawn now."""
    with api() as call:
        show(call("GET", about("/line", product)))


@me.command()
def quote(amount: Yuan, instalments: Term = 5, product: Product = None, shape: Shape = None) -> None:
    """Preview a draw with its dated schedule."""
    with api() as call:
        _show_quote(call("POST", "/quotes", _wish(amount, instalments, product, shape)))


@me.command()
def disclosure(
    amount: Yuan,
    purpose: Annotated[str, typer.Option(help="A code of `grainline me product`.")],
    instalments: Term = 5,
    product: Product = None,
    shape: Shape = None,
) -> None:
    """Show the cost of a draw; it may be signed after the reading time."""
    with api() as call:
        usual = [one for one in call("GET", "/cards")["items"] if one["usual"]]
        if not usual:
            stop("bind a card first: grainline me card NUMBER PHONE")
        body = _wish(amount, instalments, product, shape) | {"purpose": purpose, "card_id": usual[0]["card_id"]}
        shown = call("POST", "/disclosures", body)
    out.print(f"[bold]{shown['title']}[/bold]")
    for item in shown["items"]:
        out.print(f"  {item['label']}: {item['value']}")
    out.print(shown["statement"])
    out.print(f"From {shown['may_sign_at']}: grainline me contract {shown['disclosure_id']} {shown['hash']}")


@me.command()
def product(product: Product = None) -> None:
    """Show amounts, terms and purposes."""
    with api() as call:
        show(call("GET", about("/product", product)))


@me.command()
def products(amount: Yuan = 10_000, instalments: Term = 6) -> None:
    """Compare all products for an amount in whole yuan and a term."""
    fixed = (Column(name, no_wrap=True) for name in ("product", "shape"))
    table = Table(*fixed, "no.", "annual %", "IRR %", "interest", "why not")
    with api() as call:
        found = call("GET", f"/products/comparison?amount_fen={amount * 100}&instalments={instalments}")
    for item in found["items"]:
        # the lowest rate of the product above, the highest below
        costs = [cost for cost in (item["lowest"], item["highest"]) if cost]
        shown = [
            *("\n".join(cost[name] for cost in costs) for name in ("annual_rate_percent", "annual_rate_irr_percent")),
            "\n".join(yuan(cost["interest_fen"]) for cost in costs),
        ]
        why_not = item["cannot"]["text"] if item["cannot"] else ""
        table.add_row(item["product"], item["shape"], str(item["instalments"] or ""), *shown, why_not)
    out.print(table)


@me.command()
def contract(disclosure_id: str, disclosure_hash: str) -> None:
    """Get the contract for a disclosure that was read; the code that signs it is sent."""
    with api() as call:
        made = call("POST", "/contracts", {"disclosure_id": disclosure_id, "disclosure_hash": disclosure_hash})
    out.print(made["text"])
    out.print(f"Sign it with the code: grainline me draw {made['contract_id']} {made['hash']} CODE")


@me.command()
def draw(
    contract_id: str,
    contract_hash: str,
    code: str,
    key: Annotated[str | None, typer.Option(help="Idempotency-Key; give the same one to repeat a call.")] = None,
) -> None:
    """Sign a contract with its code and draw, then watch until it is paid."""
    body = {"contract_id": contract_id, "contract_hash": contract_hash, "code": code}
    with api() as call:
        made = call("POST", "/draws", body, {"Idempotency-Key": key or str(uuid.uuid4())})
    _watch(made["draw_id"])


@me.command()
def loans(loan_id: Annotated[str | None, typer.Argument()] = None) -> None:
    """List your loans, or show one."""
    with api() as call:
        show(call("GET", f"/loans/{loan_id}" if loan_id else "/loans"))


@me.command()
def repay(
    loan_id: str,
    amount: Annotated[str, typer.Argument(help="In yuan, up to two decimals; or `all`.")],
    key: Annotated[str | None, typer.Option(help="Idempotency-Key; give the same one to repeat a call.")] = None,
) -> None:
    """Repay by hand, in part or `all` of it early."""
    with api() as call:
        fen = call("GET", f"/loans/{loan_id}")["payoff_fen"] if amount == "all" else _fen(amount)
        headers = {"Idempotency-Key": key or str(uuid.uuid4())}
        show(call("POST", f"/loans/{loan_id}/repayments", {"amount_fen": fen}, headers))


@me.command()
def refund(
    loan_id: str,
    amount: Annotated[str, typer.Argument(help="In yuan, up to two decimals; or `all`.")] = "all",
    key: Annotated[str | None, typer.Option(help="Idempotency-Key; give the same one to repeat a call.")] = None,
) -> None:
    """Have what is held of a loan paid back to your usual card, in part or `all` of it."""
    body = {"amount_fen": None if amount == "all" else _fen(amount)}
    with api() as call:
        show(call("POST", f"/loans/{loan_id}/refunds", body, {"Idempotency-Key": key or str(uuid.uuid4())}))


@me.command()
def calendar() -> None:
    """List every instalment still to be paid."""
    table = Table("due on", "amount ¥", "number", "state", "loan")
    with api() as call:
        for due in call("GET", "/calendar?limit=100")["items"]:
            table.add_row(due["due_on"], yuan(due["amount_fen"]), str(due["number"]), due["state"], due["loan_id"])
    out.print(table)


def _wish(amount: int, instalments: int, product: str | None, shape: str | None) -> dict[str, object]:
    wish = {"amount_fen": amount * 100, "instalments": instalments, "product": product, "shape": shape}
    return {name: value for name, value in wish.items() if value is not None}


def _watch(draw_id: str) -> None:
    headers = {"Authorization": f"Bearer {token_file().read_text()}", "Accept-Language": "en"}
    url = f"{env.load().url}/api/v1/draws/{draw_id}/progress"
    seen: set[str] = set()
    with httpx.stream("GET", url, headers=headers, trust_env=False, timeout=600) as stream:
        for row in stream.iter_lines():
            if not row.startswith("data:"):
                continue
            for step in json.loads(row.removeprefix("data:"))["steps"]:
                if step["at"] and step["code"] not in seen:
                    seen.add(step["code"])
                    out.print(f"{step['at']}  {step['name']}")
    out.print(f"grainline me loans {draw_id}")


def _show_quote(shown: dict[str, Any]) -> None:
    out.print(
        f"Annual rate {shown['annual_rate_percent']}% (simple), {shown['annual_rate_irr_percent']}% (IRR);"
        f" {shown['daily_rate_percent']}% a day"
    )
    table = Table("no.", "due on", "days", "principal ¥", "interest ¥", "total ¥", "left ¥")
    for row in shown["rows"]:
        amounts = (row[name] for name in ("principal_fen", "interest_fen", "total_fen", "principal_after_fen"))
        table.add_row(str(row["number"]), row["due_on"], str(row["days"]), *map(yuan, amounts))
    out.print(table)
    out.print(f"Interest ¥{yuan(shown['total_interest_fen'])}, in all ¥{yuan(shown['total_fen'])}")


def _fen(amount: str) -> int:
    try:
        return read_yuan(amount)
    except ValueError as error:
        stop(str(error))
