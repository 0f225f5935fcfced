"""A party that adds numbers up, for tests of what carries messages: as an object, and as a process of its own."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Annotated

from grainline.federated.identity import Identity
from grainline.federated.party import serve
from grainline.federated.repeatable import RandomBytes
from grainline.federated.sessions import MakeHost, Opening
from grainline.federated.wire import BadMessage, Message, Whole, exactly, message


@message("toy-add")
class Add:
    number: Annotated[int, Whole(0, 2**32 - 1)]


@message("toy-sum")
class Sum:
    total: Annotated[int, Whole(0, 2**63)]
    rounds: Annotated[int, Whole(0, 1000)]
    chance: Annotated[bytes, exactly(16)]


KILLER = 666  # who is to be asked to add this kills itself, once, in the middle of the work


class Adder:
    def __init__(self, random_bytes: RandomBytes, state: bytes | None = None, deadly: Path | None = None) -> None:
        self.random_bytes = random_bytes
        self.deadly = deadly
        self.total, self.rounds = (int(part) for part in state.split()) if state else (0, 0)

    def answer(self, message: Message) -> Message:
        if not isinstance(message, Add):
            raise BadMessage("only numbers are added")
        self.total += message.number
        self.rounds += 1
        if message.number == KILLER and self.deadly is not None and not self.deadly.exists():
            self.deadly.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return Sum(self.total, self.rounds, self.random_bytes(16))


class KeepingAdder(Adder):
    """Offers a checkpoint after every second round."""

    def checkpoint(self) -> bytes | None:
        return None if self.rounds % 2 else b"%d %d" % (self.total, self.rounds)


def adders(kind: type[Adder] = Adder, deadly: Path | None = None) -> dict[str, MakeHost]:
    def make(opening: Opening) -> Adder:
        return kind(opening.random_bytes, opening.checkpoint, deadly)

    return {"toy-add": make}


async def main(folder: Path, port: str, kind: type[Adder]) -> None:
    hosts = adders(kind, deadly=folder / "died")
    address = f"127.0.0.1:{port}"
    server = await serve(Identity(folder), address, hosts, random_bytes=os.urandom, report=lambda *_: None)
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], KeepingAdder if sys.argv[3] == "keeping" else Adder))
