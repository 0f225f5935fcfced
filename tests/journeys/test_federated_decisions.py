"""A federated model in real decisions: parties as processes, applications over the API, a replay without parties."""

import asyncio
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from uuid import UUID

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from deciding_stage import applicant, cast, change
from grainline.behaviour import Party, asked, files_of
from grainline.entry.cli import app
from grainline.entry.model_keys import models_of, signer_of
from grainline.entry.party_addresses import written
from grainline.entry.settings import PARTY_ADDRESSES, Settings
from grainline.entry.wiring import LENDER
from grainline.federated.channel import PartyDeclined
from grainline.federated.consent import UNDERWRITING, Consent, sign
from grainline.federated.identity import consent_signer
from grainline.federated.inference import score_together
from grainline.federated.messages import DirectionsAsked
from grainline.federated.party_files import Withdrawals
from grainline.federated.party_model import features_of_part, parts_of
from grainline.invitation import policy_for
from grainline.kit.calendar import at, business_date
from grainline.kit.db import transaction
from grainline.sandbox.lives.generate import generate
from grainline.sandbox.town import phone_of
from grainline.scoring import score_one
from grainline.scoring.federated_part import FederatedPart, read_federated
from grainline.scoring.registry import ModelNotReady, register, set_role
from grainline.scoring.routing import Role
from grainline.underwriting.decisions_store import Decision, decision_of
from grainline.underwriting.replaying import replay, replay_since
from grainline.underwriting.shelf import Shelf
from party_stage import PartyStage, id_of, serving
from sandbox_process import PEOPLE, SECRET
from stage import Borrower, Stage, new_key

pytestmark = pytest.mark.anyio

ALL = ("bureau", "payment", "social")
UNTIL = business_date(datetime.now(UTC)) - timedelta(days=2)
AS_OF = UNTIL - timedelta(days=60)
NAMES = {party: tuple(policy_for(UNTIL.replace(day=1)).asked_of(party)) for party in Party}
TOLD_BY = {Party.PAYMENT: "payment.active_days.90d", Party.SOCIAL: "conversation.active_days.90d"}


@dataclass
class Trained:
    parties: PartyStage
    file: Path
    figures: dict


@dataclass
class Deciding:
    stage: Stage
    trained: Trained
    part: FederatedPart
    champion: str

    async def decided(self, person: Borrower) -> Decision:
        """Apply over the API and read the record."""
        told = await person.post("/applications", {"student": False}, key=new_key())
        async with transaction(self.stage.platform.pool) as tx:
            found = UUID(told["decision_id"])
            return await decision_of(tx, member_id=person.member_id, decision_id=found)

    def silent(self, decision: Decision) -> dict[str, str]:
        """Return which parties said nothing, and why, as the record has it."""
        told = decision.read_inputs().federated
        assert told is not None
        return told.asked[self.part.sha256].silent

    def spent(self) -> int:
        """Return how many consents the parties have taken so far."""
        folders = self.trained.parties.folders.values()
        return sum(len((folder / "spent").read_text().split()) for folder in folders if (folder / "spent").exists())


@pytest.fixture(scope="module")
def lives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("lives") / "parties"
    generate(made, residents=PEOPLE, seed=3, until=UNTIL, months=6)
    return made


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, lives: Path, stage: Stage) -> Iterator[Trained]:
    """Parties that were trained with over the command line; who is bad follows from how seldom they are about."""
    folder = tmp_path_factory.mktemp("identities")
    residents = list(range(1, PEOPLE + 1))
    moment = at(AS_OF, time(0))
    days = np.zeros(PEOPLE)
    for party, name in TOLD_BY.items():
        found, _ = asked(lives, party, [name], of=residents, as_of=moment, known_by=moment, now=datetime.now(UTC))
        known = pl.DataFrame({"resident": residents}).join(found, on="resident", how="left").sort("resident")
        days += known[name].fill_null(0).cast(pl.Float64).rank().to_numpy()
    labels = folder / "labels.csv"
    bad = (days < np.quantile(days, 0.3)).astype(int)
    pl.DataFrame({"id": [phone_of(one) for one in residents], "bad": bad}).write_csv(labels)
    file, data = folder / "part.json", stage.town.folder
    with serving(folder, lives, NAMES, lender=data / LENDER) as parties:
        words = [word for party in Party for word in ("--party", f"{party}={parties.addresses[party]}")]
        words += ["--identity", str(data / LENDER), "--labels", str(labels), "--label", "bad", "--as-of", f"{AS_OF}"]
        words += ["--trees", "4", "--depth", "3", "--bins", "8", "--leaf-rows", "5", "--smallest-bin", "5"]
        done = CliRunner().invoke(app, ["federated", "train", *words, "--out", str(file), "--json"])
        assert done.exit_code == 0, done.output
        (data / PARTY_ADDRESSES).write_text(written(parties.addresses))
        asyncio.run(warmed(parties, file.read_bytes()))
        yield Trained(parties, file, json.loads(done.output.splitlines()[-1]))


async def warmed(parties: PartyStage, content: bytes) -> None:
    """Have the parties make the features that the model looks at, which takes longer than an applicant is kept."""
    scoring = read_federated(content, json.loads(content)).scoring
    assert scoring is not None
    now = datetime.now(UTC).replace(microsecond=0)
    for channel in parties.channels():
        part = scoring.part.host_hashes[scoring.parties.index(channel.name)]
        consent = Consent(id_of(1), channel.name, UNDERWRITING, now, now + timedelta(minutes=5), os.urandom(16))
        with suppress(PartyDeclined):  # nobody by that id
            await channel.ask(DirectionsAsked(part, (id_of(1),), (sign(consent, consent_signer(parties.lender)),)))
        channel.drop()


@pytest.fixture(scope="module")
async def deciding(stage: Stage, trained: Trained, lives: Path) -> Deciding:
    """The scorecard decides, the federated model is a shadow, and who applies is known to all three parties."""
    known = [set(pl.concat(map(pl.read_parquet, files_of(lives, party)))["resident"]) for party in Party]
    stage.town.numbers = iter(sorted(set.intersection(*known)))
    champion, _ = await cast(stage)
    platform, now, content = stage.platform, stage.clock(), trained.file.read_bytes()
    async with transaction(platform.pool) as tx:
        kept = await register(tx, content, signer=signer_of(_settings(stage)), by="test", now=now)
        shadow = change(platform.pack.product.code, Role.SHADOW, kept.sha256, now=now)
        await set_role(tx, platform.underwriter.shelf.models, shadow)
    return Deciding(stage, trained, read_federated(content, json.loads(content)), champion)


def _settings(stage: Stage) -> Settings:
    return Settings(data=stage.town.folder, partners_url=stage.town.url, partner_secret=SECRET.hex(), sandbox=True)


def by_hand(deciding: Deciding, lives: Path, resident: int) -> int:
    """Return a resident's probability, from all parts and features in one place, as of when the parties made theirs."""
    scoring = deciding.part.scoring
    assert scoring is not None
    parts, frames = [], [pl.DataFrame({"nothing": [0.0]})]
    for party in Party:
        folder = deciding.trained.parties.folders[party]
        [part] = parts_of(replace(deciding.trained.parties.lender, folder=folder))
        [path] = (folder / "features").glob("now-*.parquet")
        moment = datetime.fromtimestamp(int(path.stem.rpartition("-")[2]), UTC)
        names = features_of_part(part)
        found, _ = asked(lives, party, names, of=[resident], as_of=moment, known_by=moment, now=datetime.now(UTC))
        frames.append(pl.DataFrame({"resident": [resident]}).join(found, on="resident", how="left").drop("resident"))
        parts.append(part)
    log_odds = scoring.slope * float(score_together(scoring.part, parts, frames)[0]) + scoring.shift
    return round(1e6 / (1 + np.exp(-log_odds)))


def number_of(person: Borrower) -> int:
    return int(person.papers.phone) - 10_000_000_000


async def test_a_model_that_parties_made_scores_an_applicant_beside_the_champion(
    deciding: Deciding, lives: Path
) -> None:
    figures = deciding.trained.figures
    assert figures["auc_held_out"] > 0.7
    assert figures["held_out"] > 50
    seen = set()
    for _ in range(4):
        person = await applicant(deciding.stage, consents=ALL)
        decision = await deciding.decided(person)
        inputs, outcome = decision.read_inputs(), decision.read_outcome()
        assert (inputs.role, inputs.model, deciding.silent(decision)) == ("champion", deciding.champion, {})
        assert outcome.shadow_pds_e6 == {deciding.part.sha256: by_hand(deciding, lives, number_of(person))}
        assert inputs.federated is not None
        said = inputs.federated.asked[deciding.part.sha256].said
        assert {party: one.consent.partition("/")[0] for party, one in said.items()} == {one: one for one in ALL}
        seen |= set(outcome.shadow_pds_e6.values())
    assert len(seen) > 1


async def test_without_a_consent_no_party_is_asked_and_the_record_says_why(deciding: Deciding) -> None:
    person = await applicant(deciding.stage, consents=ALL)
    assert (await person.call("DELETE", "/consents/social")).is_success
    before = deciding.spent()
    decision = await deciding.decided(person)
    assert deciding.silent(decision) == {"social": "consent_needed"}
    assert decision.read_outcome().shadow_pds_e6 == {}
    assert deciding.spent() == before


async def test_a_party_itself_refuses_who_withdrew_there_and_what_comes_without_a_consent(deciding: Deciding) -> None:
    person = await applicant(deciding.stage, consents=ALL)
    parties, member = deciding.trained.parties, id_of(number_of(person))
    Withdrawals(parties.folders[Party.PAYMENT]).add(member)
    decision = await deciding.decided(person)
    assert deciding.silent(decision) == {"payment": "consent_withdrawn"}
    assert decision.read_outcome().shadow_pds_e6 == {}
    scoring = deciding.part.scoring
    assert scoring is not None
    channel = parties.channels()[list(Party).index(Party.SOCIAL)]
    part = scoring.part.host_hashes[scoring.parties.index("social")]
    with pytest.raises(PartyDeclined) as told:
        await channel.ask(DirectionsAsked(part, (member,), ()))
    channel.drop()
    assert told.value.params["reason"] == "consent_missing"


async def test_a_party_that_is_down_delays_nobody_for_long_and_is_found_again(deciding: Deciding) -> None:
    parties = deciding.trained.parties
    parties.stop(Party.SOCIAL)
    decision = await deciding.decided(await applicant(deciding.stage, consents=ALL))
    assert deciding.silent(decision) == {"social": "party_away"}
    assert decision.read_outcome().pd_e6 is not None
    parties.start(Party.SOCIAL)
    again = await deciding.decided(await applicant(deciding.stage, consents=ALL))
    assert deciding.silent(again) == {}
    assert len(again.read_outcome().shadow_pds_e6) == 1


async def test_as_the_champion_it_decides_or_the_scorecard_does_and_the_record_says_which(deciding: Deciding) -> None:
    stage = deciding.stage
    stage.tick(60)
    shelf, product = stage.platform.underwriter.shelf, stage.platform.pack.product.code
    async with transaction(stage.platform.pool) as tx:
        await set_role(tx, shelf.models, change(product, Role.CHAMPION, deciding.part.sha256, now=stage.clock()))
    person = await applicant(stage, consents=ALL)
    decision = await deciding.decided(person)
    inputs, outcome = decision.read_inputs(), decision.read_outcome()
    assert (inputs.role, inputs.model) == ("champion", deciding.part.sha256)
    assert inputs.federated is not None
    assert inputs.federated.points_by == deciding.champion
    told = {party: bytes.fromhex(one.lefts) for party, one in inputs.federated.asked[inputs.model].said.items()}
    assert outcome.pd_e6 == deciding.part.pd_e6(inputs.features or {}, told)
    assert outcome.points is not None

    other = await applicant(stage)
    decision = await deciding.decided(other)
    inputs, outcome = decision.read_inputs(), decision.read_outcome()
    assert (inputs.role, inputs.model) == ("fallback", deciding.champion)
    assert inputs.federated is not None
    assert inputs.federated.instead_of == deciding.part.sha256
    assert deciding.silent(decision) == {"payment": "consent_needed", "social": "consent_needed"}
    async with transaction(stage.platform.pool) as tx:
        scorecard = await shelf.models.load_own(tx, deciding.champion)
    assert outcome.pd_e6 == score_one(scorecard, inputs.features or {}).pd_e6


async def test_every_decision_comes_out_to_the_bit_with_no_party_there(deciding: Deciding) -> None:
    deciding.trained.parties.stop(*Party)
    stage, since = deciding.stage, deciding.stage.clock() - timedelta(days=1)
    async with transaction(stage.platform.pool) as tx:
        shelf = Shelf(models_of(_settings(stage)))
        done = await replay_since(tx, shelf, since)
        assert done.counted["application"] >= 8
        assert done.differences == []
        rows = await stage.rows("select member_id, decision_id from underwriting.decisions order by decided_at limit 1")
        one = await decision_of(tx, member_id=rows[0][0], decision_id=rows[0][1])
        told = one.read_inputs().federated
        assert told is not None
        scoring = deciding.part.scoring
        assert scoring is not None
        changed = []
        for party, splits in zip(scoring.parties, scoring.part.splits_by_party[1:], strict=True):
            lefts = told.asked[deciding.part.sha256].said[party].lefts
            text = one.inputs.replace(f'"lefts":"{lefts}"', f'"lefts":"{_turned(lefts, splits)}"')
            changed.append(await replay(tx, shelf, replace(one, inputs=text)))
    assert any(difference is not None and difference.outcome for difference in changed)


def _turned(lefts: str, splits: int) -> str:
    """Return directions of which every split's is the other one."""
    bits = np.unpackbits(np.frombuffer(bytes.fromhex(lefts), np.uint8))
    bits[:splits] ^= 1
    return np.packbits(bits).tobytes().hex()


async def test_a_part_that_cannot_score_gets_no_role(deciding: Deciding) -> None:
    scoring, stage = deciding.part.scoring, deciding.stage
    assert scoring is not None
    models, product = stage.platform.underwriter.shelf.models, stage.platform.pack.product.code
    async with transaction(stage.platform.pool) as tx:
        bare = scoring.part.dump()
        kept = await register(tx, bare, signer=signer_of(_settings(stage)), by="test", now=stage.clock())
        with pytest.raises(ModelNotReady):
            await set_role(tx, models, change(product, Role.SHADOW, kept.sha256, now=stage.clock()))
