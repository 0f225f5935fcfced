"""The sandbox's data parties as processes, and a federated model of the town: made once, a shadow, and then asked.

Each party has a folder of its own in `parties-identity` of the data folder, with its keys, what it may make features
of (`party.toml`), and its part of the model; its events are the town's. The lender's folder is `lender-identity`.
Parties go by the machine's clock, whatever the sandbox's shows.
"""

import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

import polars as pl

from grainline.behaviour import Party, features
from grainline.entry.federated_remote import RemoteOutcome, RemotePlan, run_remote
from grainline.entry.parties import Parties
from grainline.entry.party_addresses import written
from grainline.entry.party_settings import FILE
from grainline.entry.processes import Program
from grainline.entry.settings import PARTY_ADDRESSES, Settings
from grainline.entry.wiring import LENDER, parties_of
from grainline.federated.identity import Identity, Role, keep_consent_key, make_identity, trust
from grainline.federated.ids import IdKind
from grainline.federated.party_model import PARTS
from grainline.federated.training import Settings as Training
from grainline.federated.trees import Rules
from grainline.kit.calendar import at, business_date
from grainline.sandbox.town import phone_of

FOLDER = "parties-identity"
HOST = "127.0.0.1"
OUTCOME_DAYS = 365  # in which who defaults is bad; before them the parties' features are made
LABEL = "bad"
# What each party may make features of: these, in windows of these days, as far as there are such features.
STEMS: Mapping[Party, tuple[str, ...]] = {
    Party.SOCIAL: (
        *("conversation.count", "conversation.active_days", "conversation.counterparties", "conversation.night_share"),
        *("conversation.counterparty_entropy", "conversation.new_counterparties", "conversation.hour_entropy"),
        *("conversation.top_counterparty_share", "conversation.gap_cv", "conversation.direct.counterparties"),
        *("group_activity.count", "group_activity.active_days", "contact_added.count", "contact_removed.count"),
        *("contact.balance", "login.count", "login.night_share", "login.devices", "login.places"),
        *("login.abnormal.count", "complaint.received.count"),
    ),
    Party.PAYMENT: (
        *("payment.count", "payment.amount_sum", "payment.amount_mean", "payment.active_days", "payment.night_share"),
        *("payment.counterparty_entropy", "payment.scene_entropy", "payment.tool_entropy", "payment.lender.count"),
        *("inflow.amount_sum", "inflow.count", "outflow.amount_sum", "flow.balance", "bill_paid.late_share"),
        *("bill_paid.late_max", "bill_paid.late_mean", "money_market.balance_mean", "money_market.days_kept"),
        *("wealth.balance_mean", "transfer_in.salary.amount_sum"),
    ),
    Party.BUREAU: (
        *("statement.late_share", "statement.late_max", "statement.late_mean", "statement.late_std"),
        *("statement.owed_mean", "statement.owed_max", "statement.utilisation_mean", "statement.utilisation_max"),
        *("statement.card.late_share", "statement.consumer_loan.late_share", "enquiry.count", "enquiry.counterparties"),
        *("enquiry.consumer_loan.count", "enquiry.card.count", "account_opened.count", "account_opened.amount_sum"),
        *("account_opened.consumer_loan.count", "default.count", "default_cured.count"),
    ),
}
WINDOWS: Mapping[Party, tuple[int, ...]] = {
    Party.SOCIAL: (30, 90, 180),
    Party.PAYMENT: (30, 90, 180),
    Party.BUREAU: (90, 180, 360),
}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Town:
    """The sandbox's parties: the installation, and where each listens."""

    given: Settings
    addresses: Mapping[Party, str]

    @property
    def lender(self) -> Identity:
        """Return the lender's folder."""
        return Identity(self.given.data / LENDER)

    def folder(self, party: Party) -> Path:
        """Return a party's folder."""
        return self.given.data / FOLDER / party

    @property
    def is_trained(self) -> bool:
        """Return whether every party keeps a part of some model."""
        return all(any((self.folder(party) / PARTS).glob("*.json")) for party in Party)


def town_of(given: Settings, *, first_port: int) -> Town:
    """Return the sandbox's parties, listening one port after the other."""
    return Town(given, {party: f"{HOST}:{first_port + number}" for number, party in enumerate(Party)})


def make_identities(town: Town, *, now: datetime) -> None:
    """Make the folders of lender and parties that are not there, have them trust each other, and say what is made."""
    lender = town.lender if town.lender.key.exists() else _made(town.lender.folder, Role.LENDER, now)
    for party in Party:
        folder = town.folder(party)
        identity = Identity(folder) if Identity(folder).key.exists() else _made(folder, Role(party), now)
        trust(lender, party, identity.certificate.read_bytes())
        trust(identity, Role.LENDER, lender.certificate.read_bytes())
        keep_consent_key(identity, lender.consent_public.read_bytes())
        if not (folder / FILE).exists():
            (folder / FILE).write_text(f"features = {json.dumps(allowed(party), indent=2)}\n", encoding="utf-8")


def allowed(party: Party) -> list[str]:
    """Return the names of what a party may make, in the order of its features."""
    wanted = {f"{stem}.{days}d" for stem in STEMS[party] for days in WINDOWS[party]}
    return [one.name for one in features(party) if one.name in wanted]


def programs(town: Town) -> list[Program]:
    """Return the parties' processes."""
    serve = (sys.executable, "-m", "grainline.entry.cli", "party", "serve")
    events = str(parties_of(town.given).folder)
    return [
        Program(
            f"{party} platform" if party is not Party.BUREAU else "bureau",
            (
                *(*serve, "--role", party, "--data", str(town.folder(party)), "--listen", address),
                *("--events", events, "--id-kind", "phone"),
            ),
        )
        for party, address in town.addresses.items()
    ]


def all_listen(town: Town) -> bool:
    """Return whether every party takes connections."""
    for address in town.addresses.values():
        host, _, port = address.rpartition(":")
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex((host, int(port))) != 0:
                return False
    return True


def labels(parties: Parties, path: Path, *, as_of: datetime, until: datetime) -> None:
    """Write who defaulted by a moment, of the residents there and not in default at another: the town's truth."""
    first, last = business_date(as_of), business_date(until)
    truth = parties.defaults().filter(pl.col("joined_on").is_null() | (pl.col("joined_on") <= first))
    truth = truth.filter(pl.col("default_on").is_null() | (pl.col("default_on") > first))
    bad = truth.select((pl.col("default_on") <= last).fill_null(False).cast(pl.Int8).alias(LABEL))[LABEL]
    ids = pl.Series("id", [phone_of(one) for one in truth["resident"].to_list()], dtype=pl.String)
    pl.DataFrame([ids, bad]).write_csv(path)


def train(town: Town, *, now: datetime, trees: int, depth: int) -> RemoteOutcome:
    """Train on the town's truth with the running parties; raise what `run_remote` raises."""
    until = at(business_date(now), time(0))
    as_of = until - timedelta(days=OUTCOME_DAYS)
    path = town.given.data / FOLDER / "labels.csv"
    try:
        labels(parties_of(town.given), path, as_of=as_of, until=until)
        rules = Rules(depth=depth, learning_rate=0.1, leaf_rows_min=20)
        settings = Training(trees=trees, rules=rules, bins=16, smallest_bin=10)
        addresses = {str(party): address for party, address in town.addresses.items()}
        return run_remote(RemotePlan(addresses, town.lender, path, LABEL, as_of, settings, IdKind.PHONE))
    finally:
        path.unlink(missing_ok=True)


def tell_platform(town: Town) -> Path:
    """Write where the parties listen into the file that the running platform reads; return it."""
    path = town.given.data / PARTY_ADDRESSES
    beside = path.with_name(f"{path.name}.new")
    beside.write_text(written({str(party): address for party, address in town.addresses.items()}), encoding="utf-8")
    beside.replace(path)
    return path


def untell_platform(town: Town) -> None:
    """Take the file away: nobody listens any more."""
    with suppress(FileNotFoundError):
        (town.given.data / PARTY_ADDRESSES).unlink()


def _made(folder: Path, role: Role, now: datetime) -> Identity:
    return make_identity(folder, role, now=now, random_bytes=os.urandom)
