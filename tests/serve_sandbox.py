"""Runs a sandbox as a process of its own, so that tests reach it over a real socket and can kill it."""

import asyncio
import json
import logging
import sys
from datetime import UTC, date, datetime
from pathlib import Path

from granian.server.embed import Server

from grainline.sandbox.clock import FILE_NAME, SandboxClock
from grainline.sandbox.seeding import records_in, seed
from grainline.sandbox.server import create_app
from grainline.sandbox.settings import SandboxSettings
from grainline.sandbox.town import residents

PORTFOLIO = Path(__file__).resolve().parents[1] / "data" / "credit_card_default.parquet"


def main(given: dict) -> None:
    folder = Path(given["folder"])
    clock = SandboxClock(folder / FILE_NAME, lambda: datetime.now(UTC))
    settings = SandboxSettings(
        database=folder / "sandbox.sqlite",
        secret=bytes.fromhex(given["secret"]),
        callback_url=given["callback_url"],
        settlement_delay_s=given["settlement_delay_s"],
        callback_attempts_max=given["callback_attempts_max"],
    )
    app = create_app(settings, clock)
    people = residents(given["ages"], reference=date(2026, 1, 15))
    records = records_in(PORTFOLIO)
    seed(app.state.sandbox.store, people, records=records, secret=settings.secret, now=clock())
    server = Server(app, address="127.0.0.1", port=given["port"], interface="asgi", log_enabled=False)
    asyncio.run(server.serve())


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    main(json.loads(sys.argv[1]))
