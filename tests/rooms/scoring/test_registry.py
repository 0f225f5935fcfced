"""What is loaded from the registry is what was signed; anything else is refused, and nothing stands in for it."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import psycopg
import pytest
from small_models import card_of_two, card_reading
from structlog.testing import capture_logs

from grainline.kit.db import Pool, make_pool, transaction
from grainline.kit.errors import Refusal
from grainline.scoring import BadModelFile, CreditModel, Loaded, score_one
from grainline.scoring import registry_store as store
from grainline.scoring.federated_part import FederatedPart
from grainline.scoring.protected import ProtectedInput, protected_among
from grainline.scoring.registry import (
    ModelChanged,
    ModelNotFound,
    Models,
    ModelSignatureWrong,
    ModelSignerUnknown,
    RoleBackdated,
    RoleUnfit,
    find_model,
    opened,
    read_artefact,
    register,
    set_role,
)
from grainline.scoring.registry_store import Registered
from grainline.scoring.routing import Role, RoleChange, route
from grainline.scoring.signing import Signer, is_signed

pytestmark = pytest.mark.anyio
NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
OURS, THEIRS = Signer.of(b"\1" * 32), Signer.of(b"\2" * 32)
ONLY_OURS = {OURS.public_key}


@pytest.fixture
async def pool(databases: tuple[str, str]) -> AsyncIterator[Pool]:
    async with make_pool(databases[1], size_max=1) as opened_pool:
        yield opened_pool


async def keep(pool: Pool, model: CreditModel, *, signer: Signer = OURS) -> Registered:
    async with transaction(pool) as tx:
        return await register(tx, model.to_bytes(), signer=signer, by="ann", now=NOW)


def federated(**other: object) -> bytes:
    """Return bytes as the lender's part of a federated model has them."""
    body = {
        "kind": "grainline federated scorecard: the lender's part",
        "note": "Useless alone.",
        "hosts": ["ab" * 32],
        "characteristics": [{"feature": "delay_now"}],
    } | other
    plain = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    return json.dumps(body | {"sha256": sha256(plain).hexdigest()}, sort_keys=True, separators=(",", ":")).encode()


async def test_a_model_comes_back_and_scores(pool: Pool) -> None:
    model = card_of_two("first", rows=10)
    kept = await keep(pool, model)
    async with transaction(pool) as tx:
        loaded = await Models(ONLY_OURS).load_own(tx, await find_model(tx, model.sha256[:8].upper()))
    values = {"used": 0.9, "home": "rent"}
    assert score_one(loaded, values) == score_one(model, values)
    assert (kept.sha256, kept.kind, kept.facts) == (model.sha256, "scorecard", {"rows": 10})
    assert is_signed("scorecard", bytes.fromhex(model.sha256), public_key=kept.signer, signature=kept.signature)


async def test_the_same_bytes_again_change_nothing(pool: Pool) -> None:
    model = card_of_two("again")
    first = await keep(pool, model)
    async with transaction(pool) as tx:
        second = await register(tx, model.to_bytes(), signer=THEIRS, by="bob", now=NOW + timedelta(days=1), name="x")
    assert second == first


async def test_what_was_changed_in_the_database_is_refused_and_alarmed(pool: Pool, databases: tuple[str, str]) -> None:
    cases = {
        "content": (ModelChanged, "content = convert_to(replace(convert_from(content, 'UTF8'), '520', '620'), 'UTF8')"),
        "signature": (ModelSignatureWrong, "signature = set_byte(signature, 5, get_byte(signature, 5) # 1)"),
        "kind": (ModelSignatureWrong, "kind = 'boosted'"),
        "signer": (ModelSignerUnknown, f"signer = decode('{THEIRS.public_key.hex()}', 'hex')"),
    }
    for name, (refusal, change) in cases.items():
        model = card_of_two(f"changed {name}")
        await keep(pool, model)
        with psycopg.connect(databases[0]) as owner:
            owner.execute(f"update scoring.models set {change} where sha256 = decode('{model.sha256}', 'hex')")
        async with transaction(pool) as tx:
            with capture_logs() as logs, pytest.raises(refusal):
                await Models(ONLY_OURS).load(tx, model.sha256)
        assert [(log["log_level"], log["code"]) for log in logs] == [("critical", refusal.code)], name


async def test_bytes_under_another_hash_are_refused_even_when_signed(pool: Pool) -> None:
    good, other = card_of_two("good"), card_of_two("other")
    kept = await keep(pool, good)
    with pytest.raises(ModelChanged):
        opened(replace(kept, content=other.to_bytes()), signers=ONLY_OURS)
    assert isinstance(opened(kept, signers=ONLY_OURS), Loaded)


async def test_a_signer_we_do_not_know_is_refused_until_we_do(pool: Pool) -> None:
    model = card_of_two("theirs")
    await keep(pool, model, signer=THEIRS)
    async with transaction(pool) as tx:
        with pytest.raises(ModelSignerUnknown):
            await Models(ONLY_OURS).load(tx, model.sha256)
        assert isinstance(await Models({*ONLY_OURS, THEIRS.public_key}).load(tx, model.sha256), Loaded)


async def test_a_model_is_read_once_in_a_process(pool: Pool, databases: tuple[str, str]) -> None:
    model, models = card_of_two("once"), Models(ONLY_OURS)
    await keep(pool, model)
    async with transaction(pool) as tx:
        first = await models.load(tx, model.sha256)
    with psycopg.connect(databases[0]) as owner:
        owner.execute(f"delete from scoring.models where sha256 = decode('{model.sha256}', 'hex')")
    async with transaction(pool) as tx:
        assert await models.load(tx, model.sha256) is first
        with pytest.raises(ModelNotFound):
            await Models(ONLY_OURS).load(tx, model.sha256)


async def test_digits_that_are_of_none_or_too_few_are_refused(pool: Pool) -> None:
    model = card_of_two("digits")
    await keep(pool, model)
    async with transaction(pool) as tx:
        for digits in (model.sha256[:7], "0" * 64, "%" * 8, "", "not a hash"):
            with pytest.raises(ModelNotFound):
                await find_model(tx, digits)
            with pytest.raises(ModelNotFound):
                await Models(ONLY_OURS).load(tx, digits)


async def test_the_app_may_add_and_not_change(pool: Pool) -> None:
    async with pool.connection() as connection:
        for table in ("models", "roles"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(f"update scoring.{table} set sha256 = sha256")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await connection.execute(f"delete from scoring.{table}")


async def test_protected_inputs_are_refused(pool: Pool) -> None:
    for feature in ("sex", "SEX", "status_gender", "MARRIAGE", "maritalStatus", "age", "Age_Band", "性别", "foreign"):
        with pytest.raises(ProtectedInput) as caught:
            await keep(pool, card_reading("amount", feature))
        assert caught.value.params == {"features": feature}
    fine = ["account_age_days", "average", "used_mean", "message_count", "age_of_account", "usage", "Sussex"]
    assert protected_among(fine) == []
    assert (await keep(pool, card_reading(*fine))).name == "any"


async def test_a_part_of_a_federated_model_is_kept_and_does_not_score(pool: Pool) -> None:
    async with transaction(pool) as tx:
        kept = await register(tx, federated(), signer=OURS, by="ann", now=NOW, name="three parties")
        part = await Models(ONLY_OURS).load(tx, kept.sha256)
        with pytest.raises(BadModelFile):
            await Models(ONLY_OURS).load_own(tx, kept.sha256)
        with pytest.raises(ProtectedInput):
            bad = federated(characteristics=[{"feature": "sex"}])
            await register(tx, bad, signer=OURS, by="ann", now=NOW)
    assert isinstance(part, FederatedPart)
    assert (kept.kind, kept.name, part.hosts, part.features) == (
        *("federated", "three parties"),
        *(("ab" * 32,), ("delay_now",)),
    )


def test_what_is_no_artefact_is_refused() -> None:
    whole = federated()
    for content in (
        *(b"", b"{}", b"[]", b"[" * 100_000, b"null", b"\xff", card_of_two().to_bytes()[:-2]),
        *(whole.replace(b"delay_now", b"delay_old"), federated(hosts=[]), federated(hosts=["x"])),
    ):
        with pytest.raises(BadModelFile):
            read_artefact(content)


async def test_roles_grow_and_route(pool: Pool) -> None:
    champion, challenger = card_of_two("champion"), card_of_two("challenger")
    for model in (champion, challenger):
        await keep(pool, model)
    first = RoleChange(0, "weilidai", Role.CHAMPION, champion.sha256, NOW, 0, True, NOW, "ann")
    second = replace(first, role=Role.CHALLENGER, sha256=challenger.sha256, share_e4=10_000)
    models = Models(ONLY_OURS)
    async with transaction(pool) as tx:
        for change in (first, second):
            made = await set_role(tx, models, change)
            assert made == replace(change, change_id=made.change_id)
        kept = await store.changes_of(tx, "weilidai")
    assert route(kept, member_id=7, product="weilidai", as_of=NOW).sha256 == challenger.sha256
    off = replace(second, is_on=False, share_e4=0)
    async with transaction(pool) as tx:
        await set_role(tx, models, off)
        kept = await store.changes_of(tx, "weilidai")
    assert route(kept, member_id=7, product="weilidai", as_of=NOW).sha256 == champion.sha256
    assert len(kept) == 3


async def test_roles_that_cannot_be_are_refused(pool: Pool) -> None:
    model = card_of_two("unfit")
    await keep(pool, model)
    good = RoleChange(0, "one", Role.CHAMPION, model.sha256, NOW, 0, True, NOW, "ann")
    cases: list[tuple[RoleChange, type[Refusal]]] = [
        (replace(good, begins_at=NOW - timedelta(seconds=1)), RoleBackdated),
        (replace(good, share_e4=100), RoleUnfit),
        (replace(good, is_on=False), RoleUnfit),
        (replace(good, role=Role.CHALLENGER), RoleUnfit),
        (replace(good, role=Role.SHADOW, share_e4=1), RoleUnfit),
        (replace(good, sha256="0" * 64), ModelNotFound),
    ]
    async with transaction(pool) as tx:
        for change, refusal in cases:
            with pytest.raises(refusal):
                await set_role(tx, Models(ONLY_OURS), change)
        await set_role(tx, Models(ONLY_OURS), good)
        with pytest.raises(RoleUnfit):
            await set_role(tx, Models(ONLY_OURS), replace(good, role=Role.CHALLENGER, share_e4=1))
        assert len(await store.changes_of(tx, "one")) == 1
