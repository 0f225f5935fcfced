"""How a command asks the database: one transaction of the app's role, and a refusal told in one line."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from grainline.entry import settings as env
from grainline.entry.postgres import database
from grainline.entry.problems import detail_of
from grainline.kit.db import Tx, make_pool, transaction
from grainline.kit.errors import Refusal

Result = TypeVar("Result")


def asked(ask: Callable[[Tx], Awaitable[Result]], *, command: str) -> Result:
    """Return what is asked within one transaction; a refusal ends the command with 2."""

    async def work(url: str) -> Result:
        async with make_pool(url, size_max=1) as pool, transaction(pool) as tx:
            return await ask(tx)

    try:
        with database(env.load()) as found:
            return asyncio.run(work(found.app_url))
    except Refusal as refusal:
        typer.echo(f"grainline {command}: {detail_of(refusal.code, refusal.params, 'en')}", err=True)
        raise typer.Exit(2) from None
