"""Three data parties as processes, with event files, an allow-list and keys in their folders."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from grainline.behaviour import Party, files_of
from grainline.federated.channel import PartyChannel
from grainline.federated.identity import Identity, Role, keep_consent_key, make_identity, trust
from grainline.federated.ids import IdKind, row_id
from grainline.federated.transport import connector
from grainline.sandbox.town import phone_of
from wire_recorder import Recorder


def id_of(resident: int) -> bytes:
    return row_id(IdKind.PHONE, phone_of(resident))


@dataclass
class PartyStage:
    lender: Identity
    folders: dict[Party, Path] = field(default_factory=dict)
    addresses: dict[Party, str] = field(default_factory=dict)
    processes: dict[Party, "subprocess.Popen[str]"] = field(default_factory=dict)
    recorder: Recorder = field(default_factory=Recorder)

    def channels(self) -> list[PartyChannel]:
        def to(party: Party) -> PartyChannel:
            connect = connector(self.lender, party, self.addresses[party])
            return PartyChannel(party, self.recorder.around(party, connect), os.urandom(16))

        return [to(party) for party in Party]

    def start(self, *parties: Party) -> None:
        """Start processes, each where it listened before."""
        for party in parties:
            listen = self.addresses.get(party, "127.0.0.1:0")
            words = ["party", "serve", "--role", party, "--data", str(self.folders[party]), "--listen", listen]
            command = [sys.executable, "-c", "from grainline.entry.cli import app; app()", *words]
            self.processes[party] = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for party in parties:
            out = self.processes[party].stdout
            assert out is not None
            told = json.loads(out.readline())
            assert told["features_from"] == "events"
            self.addresses[party] = told["listening"]

    def stop(self, *parties: Party) -> None:
        """End processes, all of which go quietly."""
        for party in parties:
            self.processes[party].terminate()
        assert [self.processes[party].wait(timeout=20) for party in parties] == [0] * len(parties)


@contextmanager
def serving(
    folder: Path, town: Path, names: Mapping[Party, Sequence[str]], lender: Path | None = None
) -> Iterator[PartyStage]:
    """Run `grainline party serve` for three parties; the lender's folder is made where it is named, or in `folder`."""
    now = datetime.now(UTC)
    stage = PartyStage(make_identity(lender or folder / "lender", Role.LENDER, now=now, random_bytes=os.urandom))
    for party in Party:
        identity = make_identity(folder / party, Role(party), now=now, random_bytes=os.urandom)
        trust(stage.lender, party, identity.certificate.read_bytes())
        trust(identity, "lender", stage.lender.certificate.read_bytes())
        keep_consent_key(identity, stage.lender.consent_public.read_bytes())
        for path in files_of(town, party):
            shutil.copy(path, identity.folder)
        (identity.folder / "party.toml").write_text(f"features = {json.dumps(list(names[party]))}\n")
        stage.folders[party] = identity.folder
    try:
        stage.start(*Party)
        yield stage
    finally:
        left = [party for party, process in stage.processes.items() if process.poll() is None]
        stage.stop(*left)
