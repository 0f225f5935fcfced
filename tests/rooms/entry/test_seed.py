"""Filling an empty platform: everybody once, however often it was started and wherever it was broken off."""

import psycopg
import pytest

from grainline.entry import seed as seeding
from grainline.entry.postgres import Database
from grainline.entry.settings import Settings
from grainline.entry.wiring import SANDBOX_FILE, read_packs
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

    def remembered(packs, count):
        key = (count, *(pack.product.code for pack in packs))
        if key not in known:
            known[key] = decide(packs, count)
        return known[key]

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
    by_product = "select product, count(*) from invitation.evaluations group by product order by product"
    assert ask(database, by_product) == [("jiebei", 600), ("jintiao", 600), ("weilidai", 600)]

    monkeypatch.setattr(seeding, "add_evaluations", add)
    said: list[str] = []
    seeding.seed(settings, database, said.append)
    for count in ("members.members", "members.directory"):
        assert ask(database, f"select count(*) from {count}") == [(TOWN,)]
    assert ask(database, by_product) == [("jiebei", TOWN), ("jintiao", TOWN), ("weilidai", TOWN)]
    for place, (code, name) in enumerate((("weilidai", "Weilidai"), ("jiebei", "Jiebei"), ("jintiao", "Jintiao"))):
        wanted = f"select count(*) from invitation.evaluations where invited and product = '{code}'"
        [(invited,)] = ask(database, wanted)
        assert said[place - 5] == f"{name}: {invited:,} of {TOWN:,} are admitted."
        assert 0 < invited < TOWN
    listed = "select count(*), count(*) filter (where invited), count(*) filter (where invited is null)"
    [(judged, invited, undecided)] = ask(database, f"{listed} from invitation.outcomes")
    assert said[-1] == f"Whitelist: {invited:,} of {judged:,} are invited."
    assert (judged, undecided) == (TOWN, 0)
    assert 0 < invited < judged
    town = Store(settings.data / SANDBOX_FILE)
    with town.transaction() as tx:
        assert count_residents(tx) == TOWN
    town.close()


@pytest.mark.parametrize("pack", read_packs().values(), ids=lambda pack: pack.product.code)
def test_offers_are_within_the_pack_and_the_others_are_told_why(installation, pack):
    _, database = installation
    offers = ask(
        database,
        "select line_fen, rate_e8, pd_e6, expires_on - evaluated_at::date from invitation.evaluations"
        f" where invited and product = '{pack.product.code}'",
    )
    assert offers
    for line, rate, pd_e6, days in offers:
        assert pack.line.min_fen <= line <= pack.line.max_fen
        assert line % pack.line.step_fen == 0
        assert pack.rate.min_e8 <= rate <= pack.rate.max_e8
        assert pack.admission.admits(pd_e6)
        assert days - pack.admission.valid_days in {0, 1}  # a day more where Shanghai's is already the next
    unexplained = "select count(*) from invitation.evaluations where cardinality(reasons) = 0"
    assert ask(database, unexplained) == [(0,)]


def test_a_person_is_as_likely_to_fail_whatever_the_product(installation):
    _, database = installation
    differing = "select member_id from invitation.evaluations group by 1 having count(distinct pd_e6) > 1"
    assert ask(database, differing) == []


def test_a_product_that_is_new_is_evaluated_and_the_others_stay(installation):
    settings, database = installation
    stamp = "select max(evaluated_at) from invitation.evaluations where product <> 'jintiao'"
    before = ask(database, stamp)
    with psycopg.connect(database.owner_url) as connection:
        connection.execute("delete from invitation.evaluations where product = 'jintiao'")
    said: list[str] = []
    seeding.seed(settings, database, said.append)
    assert [line.split(":")[0] for line in said if "admitted" in line] == ["Jintiao"]
    assert ask(database, "select count(*) from invitation.evaluations where product = 'jintiao'") == [(TOWN,)]
    assert ask(database, stamp) == before


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
