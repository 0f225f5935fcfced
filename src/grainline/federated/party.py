"""A data party at work: answers the lender's sessions from its own folder, and keeps there all it needs to go on.

key.pem, certificate.pem, peers/    who it is and whom it talks to (`identity`)
sessions/                           what it was asked and answered (`records`)
parts/                              its parts of models (`party_model`)
psi_runs, withdrawn, spent          runs, withdrawals, consents used (`party_files`)
aligned/                            the common tables that were agreed, by session
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from grainline.federated.identity import Identity
from grainline.federated.party_files import Runs, write_alignment
from grainline.federated.psi import PsiHost
from grainline.federated.psi_sets import Sizes
from grainline.federated.repeatable import RandomBytes
from grainline.federated.sessions import MakeHost, Opening, Sessions
from grainline.federated.transport import listen

SESSIONS = "sessions"


async def serve(
    identity: Identity,
    address: str,
    hosts: Mapping[str, MakeHost],
    *,
    random_bytes: RandomBytes,
    report: Callable[[str, Exception], None],
    brief: frozenset[str] = frozenset(),
) -> asyncio.Server:
    """Answer at `host:port`; `hosts` makes what answers a session by the name of its first message.

    `brief` names those whose hosts keep nothing between rounds: nothing of their sessions is written down. Raises
    NotAParty for a folder without keys, OSError for an address that cannot be had.
    """
    sessions = sessions_of(identity, hosts, random_bytes=random_bytes, report=report, brief=brief)
    return await listen(identity, address, sessions.handle)


def sessions_of(
    identity: Identity,
    hosts: Mapping[str, MakeHost],
    *,
    random_bytes: RandomBytes,
    report: Callable[[str, Exception], None],
    brief: frozenset[str] = frozenset(),
) -> Sessions:
    """Return the sessions that `serve` answers, for who has more to do with them; raise NotAParty."""
    identity.role()
    return Sessions(identity.folder / SESSIONS, hosts, random_bytes, report, brief)


def psi_host(
    identity: Identity,
    ids: Callable[[], Sequence[bytes]],
    *,
    clock: Callable[[], datetime],
    runs_per_day: int,
    sizes: Sizes,
) -> MakeHost:
    """Return what makes the party's side of a comparison of sets, and notes the run and the table it ends in."""
    runs = Runs(identity.folder, runs_per_day)

    def make(opening: Opening) -> PsiHost:
        runs.note(opening.peer, opening.session, clock())

        def aligned(rows: Sequence[bytes]) -> None:
            write_alignment(identity.folder, opening.session, rows)

        return PsiHost(ids(), opening.random_bytes, aligned, sizes)

    return make
