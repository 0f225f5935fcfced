"""Bringing an older database up to date: what was written before stays as it was, and new rules hold from now on."""

import json
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from grainline.entry.migrate import migrate
from grainline.entry.postgres import Server
from grainline.entry.settings import PROJECT_ROOT
from grainline.products import Rules, load_pack

ANSWER = (
    "insert into loans.rail_answers (member_id, transfer_id, kind, status, heard_at)"
    " values (7, gen_random_uuid(), 'payout', '{}', now())"
)


@pytest.fixture
def empty(postgres: Server) -> Iterator[str]:
    """The owner's URL of a database in which nothing is yet."""
    with psycopg.connect(postgres.owner_url.replace("/grainline?", "/postgres?"), autocommit=True) as connection:
        connection.execute("create database older")
        yield postgres.owner_url.replace("/grainline?", "/older?")
        connection.execute("drop database older with (force)")


def upgrade_to(url: str, revision: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url), poolclass=NullPool)
    with engine.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(PROJECT_ROOT / "migrations"))
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_answers_heard_before_amounts_were_kept_have_none_and_later_ones_must(empty):
    upgrade_to(empty, "0001")
    with psycopg.connect(empty) as connection:
        connection.execute(ANSWER.format("succeeded"))
    migrate(empty)
    migrate(empty)  # a second time changes nothing
    with psycopg.connect(empty, autocommit=True) as connection:
        kept = connection.execute("select member_id, status, amount_fen from loans.rail_answers").fetchall()
        assert kept == [(7, "succeeded", None)]
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(ANSWER.format("succeeded"))
        for without_amount in ("not_found", "key_conflict"):
            connection.execute(ANSWER.format(without_amount))


def test_rules_kept_before_due_dates_were_a_choice_say_what_they_were_and_fit_their_packs(empty):
    pack = load_pack(PROJECT_ROOT / "packs" / "weilidai.toml")
    [shape] = pack.schedule.shapes
    said_later = {"due_day", "first_period", "first_period_min_days", "business_day_convention", "holiday_table"}
    upgrade_to(empty, "0009")
    with psycopg.connect(empty) as connection:
        kept = pack.rules_name(shape), pack.rules(shape).model_dump_json(exclude=said_later)
        connection.execute("insert into loans.rule_sets (name, content) values (%s, %s)", kept)
    migrate(empty)  # and refuses rules that differ from the pack's
    with psycopg.connect(empty, autocommit=True) as connection:
        row = connection.execute("select content::text from loans.rule_sets where name = %s", kept[:1]).fetchone()
    assert row is not None
    assert said_later <= json.loads(row[0]).keys()
    assert Rules.model_validate_json(row[0]) == pack.rules(shape)
