"""What `make run` prints when everything answers: where to look, and as whom to sign in."""

import asyncio

from rich.console import Console

from grainline.entry.postgres import Database
from grainline.entry.settings import Settings
from grainline.entry.wiring import SANDBOX_FILE, wire
from grainline.invitation.store import example
from grainline.kit.db import single
from grainline.members import phone_of
from grainline.sandbox.store import Store, papers_by_phone


def welcome(settings: Settings, found: Database, out: Console) -> None:
    """Print the addresses, and in the sandbox one invited and one not invited resident with their papers."""
    out.print(f"\nGrainline answers on [bold]{settings.url}[/bold]   (API: {settings.url}/api/v1/openapi.json)")
    if not settings.sandbox:
        return
    out.print(f"SMS inbox            {settings.sandbox_url}/inbox")
    out.print(f"Partners' faults     {settings.sandbox_url}/faults\n")
    town = Store(settings.data / SANDBOX_FILE)
    try:
        for invited, phone in asyncio.run(_phones(settings, found)):
            out.print(f"[bold]{'Invited' if invited else 'Not invited'}[/bold]")
            with town.transaction() as tx:
                papers = papers_by_phone(tx, phone)
            if papers is not None:
                out.print(f"  phone 手机  {papers.phone}\n  name  姓名  {papers.name}", highlight=False)
                out.print(f"  id  身份证  {papers.national_id}\n  card  卡号  {papers.card_number}", highlight=False)
    finally:
        town.close()
    out.print("\nThe code to sign in arrives in the inbox. Move time: .venv/bin/grainline sandbox advance --days 31")


async def _phones(settings: Settings, found: Database) -> list[tuple[bool, str]]:
    phones = []
    async with wire(settings, found.app_url, pool_size=1) as platform, single(platform.pool) as tx:
        for invited in (True, False):
            member_id = await example(tx, product=platform.pack.product.code, invited=invited)
            if member_id is not None:
                phones.append((invited, await phone_of(tx, platform.vault, member_id)))
    return phones
