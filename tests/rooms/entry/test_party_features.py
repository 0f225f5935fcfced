"""Lender, social platform, payment platform and bureau as processes: features from raw events, a model, an applicant.

The parties have nothing but the event files of a small town, as the sandbox writes them.
"""

import asyncio
import os
import struct
from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from grainline.behaviour import Party, asked, files_of
from grainline.entry.parties import Parties
from grainline.entry.party_features import MomentRefused, PartyFeatures
from grainline.entry.party_people import NoPeople
from grainline.entry.party_settings import BadPartySettings, PartySettings, read_party_settings
from grainline.federated import messages as says
from grainline.federated.channel import PartyDeclined
from grainline.federated.consent import Consent, sign
from grainline.federated.identity import consent_signer
from grainline.federated.ids import IdKind
from grainline.federated.inference import score, score_together
from grainline.federated.keys import make_keys
from grainline.federated.party_files import Withdrawals
from grainline.federated.party_model import RowsGone, features_of_part
from grainline.federated.psi import intersect
from grainline.federated.training import Alignment, Rows, Settings, Trained, train, train_twin
from grainline.federated.trees import Rules
from grainline.invitation import policy_for
from grainline.kit.calendar import at, business_date
from grainline.sandbox.lives.generate import generate
from grainline.sandbox.town import phone_of
from party_stage import PartyStage, id_of, serving

PEOPLE = 400
NOW = datetime.now(UTC)
UNTIL = business_date(NOW) - timedelta(days=2)  # events after the real clock of the parties' processes are faults
AS_OF = at(UNTIL - timedelta(days=60), time(0))
PLAN = Settings(
    trees=3,
    rules=Rules(depth=3, leaf_rows_min=5),
    bins=8,
    smallest_bin=5,
    as_of=int(AS_OF.timestamp()),
)
MODEL = b"of raw events!!!"
NAMES = {party: tuple(policy_for(UNTIL.replace(day=1)).asked_of(party)) for party in Party}
GONE = 17  # withdrew at the social platform before training


RESIDENT_BY_ID = {id_of(resident): resident for resident in range(1, PEOPLE + 1)}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("raw") / "parties"
    generate(made, residents=PEOPLE, seed=3, until=UNTIL, months=6)
    return made


def made_by_hand(town: Path, party: Party, ids: Iterable[bytes], moment: datetime, names=None) -> pl.DataFrame:
    """Return what a party should find of these people, in their order."""
    residents = [RESIDENT_BY_ID[one] for one in ids]
    found, _ = asked(town, party, names or NAMES[party], of=residents, as_of=moment, known_by=moment, now=NOW)
    order = pl.DataFrame({"resident": pl.Series(residents, dtype=pl.Int64)})
    return order.join(found, on="resident", how="left", maintain_order="left").drop("resident")


async def trained_on(stage: PartyStage, label_by_id: dict[bytes, bool]) -> tuple[Trained, Rows, list[bytes]]:
    aligning = stage.channels()
    common = await intersect(aligning, list(label_by_id), os.urandom)
    label = np.array([label_by_id[one] for one in common])
    rows = Rows(pl.DataFrame({"nothing": [0.0] * len(common)}), label)
    alignments = [Alignment(channel.session, np.ones(len(common), np.bool_)) for channel in aligning]
    secret = make_keys("okamoto-uchiyama", 2048, os.urandom)

    async def run(as_of: int) -> Trained:
        channels = stage.channels()
        plan = Settings(**(vars(PLAN) | {"as_of": as_of}))
        try:
            return await train(rows, alignments, channels, plan, secret=secret, model=MODEL, random_bytes=os.urandom)
        finally:
            for channel in channels:
                channel.drop()

    for moment, reason in ((0, "federated_no_moment"), (int(NOW.timestamp()) + 9_000, "federated_moment_refused")):
        with pytest.raises(PartyDeclined) as told:
            await run(moment)
        assert told.value.params["reason"] == reason
    trained = await run(PLAN.as_of)
    for channel in aligning:
        await channel.close()
    return trained, rows, common


async def asked_about(stage: PartyStage, trained: Trained, member: bytes) -> float:
    now = datetime.now(UTC).replace(microsecond=0)
    key, ends = consent_signer(stage.lender), now + timedelta(minutes=10)
    tokens = [[sign(Consent(member, one, "underwriting", now, ends, os.urandom(16)), key)] for one in Party]
    channels = stage.channels()
    try:
        return float((await score(trained.part, pl.DataFrame({"nothing": [0.0]}), [member], channels, tokens))[0])
    finally:
        for channel in channels:
            channel.drop()


def moment_of(folder: Path) -> datetime:
    """Return the moment as of which a party made what it scores by, from the file's name."""
    [path] = (folder / "features").glob("now-*.parquet")
    return datetime.fromtimestamp(int(path.stem.rpartition("-")[2]), UTC)


def canaries(town: Path, parts: Iterable) -> Iterable[bytes]:
    """Return what must not be seen: phones, features' names, their values, thresholds, and moments of raw events."""
    for resident in range(1, PEOPLE + 1):
        yield phone_of(resident).encode()
    for party in Party:
        yield from (name.encode() for name in NAMES[party])
        frame = made_by_hand(town, party, list(RESIDENT_BY_ID), AS_OF)
        values = {one for column in frame.iter_columns() for one in column.drop_nulls().to_list()}
        moments = pl.read_parquet(files_of(town, party))["at"].dt.epoch("us").head(500).to_list()
        yield from (packed for one in moments for packed in (struct.pack("<q", one), struct.pack(">q", one)))
        for value in values:
            if value != round(value) or abs(value) > 1e6:
                yield from (struct.pack("<d", value), struct.pack(">d", value))
                if len(repr(value)) >= 8:  # shorter ones are among random bytes by chance
                    yield repr(value).encode()[:12]
    for part in parts:
        for one in part.conditions:
            if one.threshold is not None and one.threshold != 0:
                yield from (struct.pack("<d", one.threshold), struct.pack(">d", one.threshold))


def test_four_processes_make_a_model_of_raw_events_and_score_by_consent(town: Path, tmp_path: Path) -> None:
    truth = Parties(town).defaults()
    late = truth.filter(pl.col("default_on") > AS_OF.date())["resident"].to_list()
    label_by_id = {one: resident in set(late) for one, resident in RESIDENT_BY_ID.items()}
    with serving(tmp_path, town, NAMES) as stage:
        Withdrawals(stage.folders[Party.SOCIAL]).add(id_of(GONE))
        trained, rows, common = asyncio.run(trained_on(stage, label_by_id))
        frames = [made_by_hand(town, party, common, AS_OF) for party in Party]
        oracle, twin = asyncio.run(train_twin(rows, frames, PLAN, model=MODEL))
        applicant = common[7]
        scored = asyncio.run(asked_about(stage, trained, applicant))
        moments = {party: moment_of(stage.folders[party]) for party in Party}
        Withdrawals(stage.folders[Party.PAYMENT]).add(applicant)
        with pytest.raises(PartyDeclined) as told:
            asyncio.run(asked_about(stage, trained, applicant))
        assert (told.value.params["party"], told.value.params["reason"]) == ("payment", "consent_withdrawn")

    assert 200 < len(common) < PEOPLE
    assert id_of(GONE) not in common
    assert trained.part.dump() == oracle.part.dump(), "the parties made the features that are made by hand"
    assert sum(len(part.conditions) for part in twin.parts) > 5
    own = [
        made_by_hand(town, party, [applicant], moments[party], features_of_part(part))
        for party, part in zip(Party, twin.parts, strict=True)
    ]
    assert scored == score_together(trained.part, twin.parts, [pl.DataFrame({"nothing": [0.0]}), *own])[0]

    said = stage.recorder.messages()  # refuses whatever is outside the schema
    assert {type(one) for one in said} >= {says.TrainingBegins, says.Sums, says.SplitsMade, says.Directions}
    hidden = set(canaries(town, twin.parts))
    assert len(hidden) > 5_000
    assert stage.recorder.found(hidden) == []


def own_features(folder: Path, events: Path, clock, **settings) -> PartyFeatures:
    folder.mkdir(exist_ok=True)
    return PartyFeatures(folder, events, Party.BUREAU, IdKind.PHONE, PartySettings(**settings), clock)


def test_who_comes_after_the_table_was_made_is_found_alone_and_the_table_is_made_anew_by_day(
    town: Path, tmp_path: Path
) -> None:
    residents = pl.read_parquet(files_of(town, Party.BUREAU))["resident"].unique().sort().to_list()
    listed = pl.DataFrame({"resident": residents, "id": [phone_of(one) for one in residents]})
    names, clock = NAMES[Party.BUREAU], [NOW]
    own = own_features(tmp_path / "bureau", town, lambda: clock[0])
    people = tmp_path / "bureau" / "people.csv"
    listed[:-1].write_csv(people)
    table = own.now(names)
    assert len(table.ids) == len(residents) - 1
    moment = NOW.replace(microsecond=0)
    assert_frame_equal(table.frame, made_by_hand(town, Party.BUREAU, table.ids, moment, names))
    newcomer = id_of(residents[-1])
    assert table.alone(newcomer) is None
    listed.write_csv(people)
    assert_frame_equal(table.alone(newcomer), made_by_hand(town, Party.BUREAU, [newcomer], NOW, names))
    assert own.now(names) is table
    clock[0] = NOW + timedelta(days=1)
    own.refresh([names])
    after = own.now(names)
    assert newcomer in after.ids
    again = own_features(tmp_path / "bureau", town, lambda: clock[0])
    again.refresh([names])
    assert_frame_equal(again.now(names).frame, after.frame)
    assert len(list((tmp_path / "bureau" / "features").glob("now-*"))) == 1, (
        "what was made today is taken from the disk"
    )
    clock[0] = NOW + timedelta(days=1, hours=27)
    assert again.now(names) is not after, "26 hours is the oldest it may be"
    assert len(list((tmp_path / "bureau" / "features").glob("now-*"))) == 1


def test_what_was_made_to_train_on_stays_the_same_and_goes_in_the_end(town: Path, tmp_path: Path) -> None:
    own = own_features(tmp_path / "bureau", town, lambda: NOW, features=NAMES[Party.BUREAU], oldest_days=90)
    ids = own.ids()
    assert ids == sorted(ids, key=RESIDENT_BY_ID.__getitem__)
    first = own.as_of(ids, AS_OF)
    assert all(column.n_unique() > 1 for column in first.iter_columns()), "what is constant was left out"
    whole = made_by_hand(town, Party.BUREAU, ids, AS_OF)
    assert_frame_equal(first, whole.select(first.columns))
    Withdrawals(own.folder).add(ids[0])
    assert_frame_equal(own.as_of(ids, AS_OF), first)
    assert own.ids() == ids[1:]
    later = own.as_of(ids, AS_OF + timedelta(seconds=1))
    assert later[0].null_count().sum_horizontal().item() == later.width, "who withdrew has an empty row from then on"
    for moment in (NOW + timedelta(seconds=1), NOW - timedelta(days=91)):
        with pytest.raises(MomentRefused):
            own.as_of(ids, moment)
    with pytest.raises(RowsGone):
        own.as_of([*ids, bytes(32)], AS_OF)
    own.forget(NOW - timedelta(days=1))
    assert len(list((own.folder / "features").glob("training-*"))) == 2
    own.forget(datetime.now(UTC) + timedelta(seconds=5))
    assert list((own.folder / "features").glob("training-*")) == []


def test_wrong_lists_and_settings_are_told(town: Path, tmp_path: Path) -> None:
    own = own_features(tmp_path / "bureau", town, lambda: NOW)
    people = own.folder / "people.csv"
    for text in ("resident,id\n1,10000000001\n1,10000000002\n", "who,id\n1,10000000001\n", "resident,id\n1,\n"):
        people.write_text(text)
        with pytest.raises(NoPeople):
            own.ids()
    known = set(NAMES[Party.BUREAU])
    assert read_party_settings(own.folder, known) == PartySettings()
    file = own.folder / "party.toml"
    for text in ("features = []", 'features = ["no.such"]', 'features = "x"', "oldest_days = 0", "colour = 1", "= 1"):
        file.write_text(text)
        with pytest.raises(BadPartySettings):
            read_party_settings(own.folder, known)
    file.write_text(f'features = ["{NAMES[Party.BUREAU][0]}"]\nsessions_days = 3\n')
    told = read_party_settings(own.folder, known)
    assert (told.features, told.sessions) == (NAMES[Party.BUREAU][:1], timedelta(days=3))
