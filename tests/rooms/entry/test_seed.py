"""Filling an empty platform: everybody once, however often it was started and wherever it was broken off."""

import psycopg
import pytest

from grainline.entry import seed as seeding
from grainline.entry.postgres import Database
from grainline.entry.settings import Settings
from grainline.entry.wiring import SANDBOX_FILE
from grainline.sandbox.store import Store, count_residents

TOWN = 1_000


@pytest.fixture(scope="module")
def installation(databases: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Database]:
    settings = Settings(data=tmp_path_factory.mktemp("seed"), town=TOWN, partners_url="http://partners.example")
    return settings, Database(databases[0], databases[1], None)


@pytest.fixture(scope="module", autouse=True)
def decided_once():
    """People are decided alike each time; once is enough to wait for."""
    decide, known = seeding._decide, {}

    def remembered(pack, count):
        if count not in known:
            known[count] = decide(pack, count)
        return known[count]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seeding, "_decide", remembered)
        yield


def ask(database: Database, question: str) -> list[tuple]:
    with psycopg.connect(database.owner_url) as connection:
        return connection.execute(question).fetchall()


def test_start_that_was_broken_off_is_finished_by_the_next(installation, monkeypatch):
    settings, database = installation
    add, chunks = seeding.add_evaluations, []

    async def breaks(tx, rows):
        await add(tx, rows)
        chunks.append(len(rows))
        if len(chunks) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(seeding, "CHUNK", 300)
    monkeypatch.setattr(seeding, "add_evaluations", breaks)
    with pytest.raises(KeyboardInterrupt):
        seeding.seed(settings, database, lambda _: None)
    # whole chunks only: the third was taken back, members and all
    assert ask(database, "select count(*) from members.members") == [(600,)]
    assert ask(database, "select count(*) from invitation.evaluations") == [(600,)]

    monkeypatch.setattr(seeding, "add_evaluations", add)
    said: list[str] = []
    seeding.seed(settings, database, said.append)
    for count in ("members.members", "members.directory", "invitation.evaluations"):
        assert ask(database, f"select count(*) from {count}") == [(TOWN,)]
    [(invited,)] = ask(database, "select count(*) from invitation.evaluations where invited")
    assert said[-1] == f"{invited:,} of {TOWN:,} are invited."
    assert 0 < invited < TOWN
    town = Store(settings.data / SANDBOX_FILE)
    with town.transaction() as tx:
        assert count_residents(tx) == TOWN
    town.close()


def test_offers_are_within_the_pack_and_the_others_are_told_why(installation):
    _, database = installation
    wanted = "select line_fen, rate_e8, expires_on - evaluated_at::date from invitation.evaluations where invited"
    offers = ask(database, wanted)
    assert all(50_000 <= line <= 30_000_000 and line % 10_000 == 0 for line, _, _ in offers)
    assert all(20_000 <= rate <= 60_000 for _, rate, _ in offers)
    assert {days for _, _, days in offers} <= {60, 61}  # a day more where Shanghai's is already the next
    unexplained = "select count(*) from invitation.evaluations where cardinality(reasons) = 0"
    assert ask(database, unexplained) == [(0,)]


def test_start_that_finds_everybody_does_nothing(installation):
    settings, database = installation
    newest = "select max(member_id), max(evaluated_at) from invitation.evaluations"
    before = ask(database, newest)
    said: list[str] = []
    seeding.seed(settings, database, said.append)
    assert said == []
    assert ask(database, newest) == before


def test_outside_the_sandbox_nobody_is_settled(installation, tmp_path):
    _, database = installation
    settings = Settings(data=tmp_path / "none", sandbox=False, partners_url="http://partners.example")
    seeding.seed(settings, database, pytest.fail)
    assert not (tmp_path / "none").exists()
