"""A party's process killed with no warning, at any time, is started again and the run goes on to the same end."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import toy_party
from toy_party import KILLER, Add, Sum
from two_parties import acquainted, channel_over
from typer.testing import CliRunner, Result

from grainline.entry.cli import app
from grainline.federated.channel import PartyAway, Patience
from grainline.federated.transport import connector

PATIENT = Patience(silence_s=2.0, away_s=60.0, backoff_s=0.05, backoff_max_s=0.2)


@contextmanager
def process(folder: Path, kind: str, port: str = "0") -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a party in a process of its own; gives the process and its port, and leaves none behind."""
    command = [sys.executable, toy_party.__file__, str(folder), port, kind]
    ran = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert ran.stdout is not None
        yield ran, ran.stdout.readline().strip()
    finally:
        ran.kill()
        ran.wait()


@pytest.mark.parametrize("kind", ["plain", "keeping"])
def test_killed_between_rounds_and_in_the_middle_of_one_it_goes_on(tmp_path: Path, kind: str) -> None:
    lender, [party] = acquainted(tmp_path, "payment")
    numbers = [1, 2, 3, KILLER, 4]

    async def work() -> list[Sum]:
        with process(party.folder, kind) as (first, port):
            channel = channel_over(connector(lender, "payment", f"127.0.0.1:{port}"), patience=PATIENT)
            told = [await channel.ask(Add(number)) for number in numbers[:2]]
            first.kill()  # between two rounds
            await asyncio.to_thread(first.wait)
        with process(party.folder, kind, port) as (second, _):
            told.append(await channel.ask(Add(numbers[2])))
            dying = asyncio.create_task(channel.ask(Add(KILLER)))  # after it was taken down, before it is answered
            assert await asyncio.to_thread(second.wait) == -9
            assert not dying.done()
        with process(party.folder, kind, port):
            told.append(await dying)
            told.append(await channel.ask(Add(numbers[4])))
            await channel.close()
        return [one for one in told if isinstance(one, Sum)]

    told = asyncio.run(work())
    assert [one.total for one in told] == [1, 3, 6, 6 + KILLER, 10 + KILLER]
    assert [one.rounds for one in told] == [1, 2, 3, 4, 5]
    assert len({one.chance for one in told}) == 5


def test_killed_and_not_started_again_it_fails_the_run(tmp_path: Path) -> None:
    lender, [party] = acquainted(tmp_path, "payment")

    async def work() -> None:
        with process(party.folder, "plain") as (ran, port):
            connect = connector(lender, "payment", f"127.0.0.1:{port}")
            channel = channel_over(connect, patience=Patience(0.2, 0.6, 0.05, 0.1))
            await channel.ask(Add(1))
            ran.kill()
            await asyncio.to_thread(ran.wait)
            await channel.ask(Add(2))

    with pytest.raises(PartyAway, match="payment"):
        asyncio.run(work())


def test_the_command_makes_keys_serves_and_stops(tmp_path: Path) -> None:
    def grainline(*words: str) -> Result:
        return CliRunner().invoke(app, ["party", *words])

    lender, party = str(tmp_path / "lender"), str(tmp_path / "payment")
    table, twice = tmp_path / "table.csv", tmp_path / "twice.csv"
    table.write_text("id,x\n7,1\n8,2\n")
    twice.write_text("id,x\n7,1\n7,2\n")
    served = ["--data", party, "--listen", "127.0.0.1:0", "--table"]
    serve = ["serve", "--role", "payment", *served, str(table)]
    assert grainline(*serve).exit_code == 1
    printed = grainline("init", "--role", "lender", "--data", lender).stdout.split()
    assert grainline("init", "--role", "payment", "--data", party).exit_code == 0
    again = grainline("init", "--role", "payment", "--data", party)
    assert (again.exit_code, "never overwritten" in again.stderr) == (1, True)
    certificate, key = f"{lender}/certificate.pem", f"{lender}/consent_public.pem"
    pinned = grainline("trust", "lender", certificate, "--data", party, "--consent-key", key)
    assert pinned.stdout.strip() in printed
    wrong = grainline("serve", "--role", "bureau", *served, str(table))
    assert (wrong.exit_code, "payment" in wrong.stderr) == (2, True)
    wrong = grainline("serve", "--role", "payment", *served, str(twice))
    assert (wrong.exit_code, "more than once" in wrong.stderr) == (1, True)

    command = [sys.executable, "-c", "from grainline.entry.cli import app; app()", "party", *serve]
    ran = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert ran.stdout is not None
        assert '"peers": ["lender"]' in ran.stdout.readline()
        ran.terminate()
        assert ran.wait() == 0
    finally:
        ran.kill()
        ran.wait()
