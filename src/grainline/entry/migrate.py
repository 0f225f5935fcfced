"""Bring a database up to date: tables by Alembic, then every room's functions, in the order of the layers.

Functions are kept beside the code that calls them and are applied after every migration (create or replace), so a
change of a function is a change of one file.
"""

from collections.abc import Iterable
from datetime import time

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql
from psycopg.rows import TupleRow
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool

from grainline.entry.settings import PROJECT_ROOT
from grainline.entry.shipped_rules import shipped_rules
from grainline.kit.calendar import at
from grainline.products import BadPack, Pack, Shape, load_packs
from grainline.underwriting.rules_store import SHIPPED, SHIPPED_MAKER

ROOMS = ("kit", "members", "ledger", "guard", "lines", "loans", "invitation")
LOCK = 0x6772_6169_6E  # one migration at a time, whoever starts first


def migrate(owner_url: str) -> None:
    """Create the application's role where it is missing, run what is pending, apply functions and packs' limits.

    Raises BadPack.
    """
    with psycopg.connect(owner_url, autocommit=True) as guard_connection:
        guard_connection.execute("select pg_advisory_lock(%s)", (LOCK,))
        _ensure_role(guard_connection)
        engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(owner_url), poolclass=NullPool)
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", str(PROJECT_ROOT / "migrations"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        with psycopg.connect(owner_url) as connection_:
            for room in ROOMS:
                for path in sorted((PROJECT_ROOT / "src" / "grainline" / room).glob("*.sql")):
                    connection_.execute(path.read_bytes())
            _apply_packs(connection_, load_packs(PROJECT_ROOT / "packs").values())


def _apply_packs(connection: psycopg.Connection[TupleRow], packs: Iterable[Pack]) -> None:
    """Write each pack's limits and rules where the database holds them; the app's role may not.

    Rules are kept for the life of the loans made under them: raises BadPack where a pack has others under one version.
    """
    for pack in packs:
        for shape in pack.schedule.shapes:
            _keep_rules(connection, pack, shape)
        _enter_shipped_rules(connection, pack)
        rule = pack.draw
        connection.execute(
            "insert into guard.limits (product, draw_min_fen, draw_step_fen, draw_max_fen, day_max_fen)"
            " values (%s, %s, %s, %s, %s) on conflict (product) do update set draw_min_fen = excluded.draw_min_fen,"
            " draw_step_fen = excluded.draw_step_fen, draw_max_fen = excluded.draw_max_fen,"
            " day_max_fen = excluded.day_max_fen",
            (pack.product.code, rule.min_fen, rule.step_fen, rule.max_fen, rule.day_max_fen),
        )


def _keep_rules(connection: psycopg.Connection[TupleRow], pack: Pack, shape: Shape) -> None:
    name, content = pack.rules_name(shape), pack.rules(shape).model_dump_json()
    connection.execute(
        "insert into loans.rule_sets (name, content) values (%s, %s) on conflict (name) do nothing", (name, content)
    )
    kept = connection.execute(
        "select content = %s::jsonb from loans.rule_sets where name = %s", (content, name)
    ).fetchone()
    if kept != (True,):
        raise BadPack(f"{pack.product.code}: its rules changed under version {pack.product.version}: give it a new one")


def _enter_shipped_rules(connection: psycopg.Connection[TupleRow], pack: Pack) -> None:
    """Enter the shipped decision rules of a product that has none yet, as released; later ones are people's to release.

    Raises BadPack where the shipped file has the version of what was entered, and other bytes.
    """
    rules = shipped_rules(pack)
    sha256, key = bytes.fromhex(rules.sha256), (rules.product, rules.version)
    entered = connection.execute(
        "insert into underwriting.rule_versions"
        " (product, version, effective_from, sha256, body, maker, note, proposed_at)"
        " select %s, %s, %s, %s, %s, %s, %s, %s"
        " where not exists (select 1 from underwriting.rule_versions where product = %s)",
        (
            *key,
            rules.effective_from,
            sha256,
            rules.body,
            SHIPPED_MAKER,
            "as shipped",
            at(rules.effective_from, time(0)),
            rules.product,
        ),
    )
    if entered.rowcount:
        connection.execute(
            "insert into underwriting.rule_releases (product, version, effective_from, maker, checker, released_at)"
            " values (%s, %s, %s, %s, %s, %s)",
            (*key, rules.effective_from, SHIPPED_MAKER, SHIPPED, at(rules.effective_from, time(0))),
        )
    kept = connection.execute(
        "select sha256 = %s from underwriting.rule_versions where product = %s and version = %s", (sha256, *key)
    ).fetchone()
    if kept == (False,):
        raise BadPack(f"{rules.product}: its decision rules changed under version {rules.version}: give it a new one")


def _ensure_role(connection: psycopg.Connection[TupleRow]) -> None:
    known = connection.execute("select 1 from pg_roles where rolname = 'grainline_app'").fetchone()
    if known is None:
        connection.execute(sql.SQL("create role grainline_app"))
        # so that an app which has only this login can lay down what its own role may not do
        connection.execute(sql.SQL("grant grainline_app to current_user"))
