"""The sandbox as a process of a simulation: its clock stands still until it is moved."""

import asyncio
import json
import logging
import sys
from datetime import datetime
from pathlib import Path

from granian.server.embed import Server

from grainline.entry.processes import die_with_parent
from grainline.entry.simulation.wiring import standing_clock
from grainline.entry.wiring import SANDBOX_FILE
from grainline.sandbox.server import create_app
from grainline.sandbox.settings import SandboxSettings


def main(given: dict[str, str]) -> None:
    """Serve until killed."""
    die_with_parent()
    logging.basicConfig(level=logging.CRITICAL)
    folder = Path(given["folder"])
    settings = SandboxSettings(
        database=folder / SANDBOX_FILE,
        secret=bytes.fromhex(given["secret"]),
        callback_url=given["callback_url"] or None,
        fault_seed=int(given["seed"]),
    )
    app = create_app(settings, standing_clock(folder, datetime.fromisoformat(given["start"])))
    server = Server(app, address="127.0.0.1", port=int(given["port"]), interface="asgi", log_enabled=False)  # type: ignore[arg-type]
    asyncio.run(server.serve())


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
