"""What a thief of the database or of the logs gets: nobody's name, phone, id, card, code or token."""

import base64
import logging

import psycopg
import pytest
import structlog
from psycopg import sql

from deciding_stage import cast
from stage import Borrower, Stage, new_key

pytestmark = pytest.mark.anyio

FULL_OF_DIGITS = {"scoring.models.content", "scoring.models.facts"} | {
    f"underwriting.{column}" for column in ("decisions.inputs", "decisions.outcome", "rule_versions.body")
}

COLUMNS = """
    select table_schema, table_name, column_name, data_type from information_schema.columns
    where table_schema not in ('pg_catalog', 'information_schema')
        and data_type in ('text', 'jsonb', 'bytea', 'ARRAY', 'character varying')
    order by 1, 2, 3
"""


def everything(owner_url: str) -> dict[str, list[bytes]]:
    """Return every value that could carry words, by column, as its owner reads it."""
    found: dict[str, list[bytes]] = {}
    with psycopg.connect(owner_url) as connection:
        for schema, table, column, kind in connection.execute(COLUMNS).fetchall():
            name = sql.Identifier(column)
            read = name if kind == "bytea" else sql.SQL("convert_to({}::text, 'UTF8')").format(name)
            wanted = sql.SQL("select {} from {} where {} is not null").format(read, sql.Identifier(schema, table), name)
            rows = connection.execute(wanted).fetchall()
            found[f"{schema}.{table}.{column}"] = [bytes(row[0]) for row in rows]
    return found


def spellings(secret: str) -> set[bytes]:
    """A secret as it could be written down without being sealed."""
    raw = secret.encode()
    return {raw, raw.hex().encode(), base64.b64encode(raw).rstrip(b"="), secret.encode("utf-16-le"), raw[::-1]}


async def live(stage: Stage) -> tuple[Borrower, list[str]]:
    """Go the whole way once, with mishaps; return the person and everything that must stay secret."""
    person = await stage.resident(invited=True)
    secrets = [person.papers.phone, person.papers.name, person.papers.national_id, person.papers.card_number]
    secrets += [person.papers.agreement, person.papers.name[1:]]
    await person.post("/sign-in/otp", {"phone": person.papers.phone})
    secrets.append(await person.code())
    await person.refused("/sign-in", {"phone": person.papers.phone, "code": "x" + secrets[-1]})
    session = await person.post("/sign-in", {"phone": person.papers.phone, "code": secrets[-1]})
    person.headers = {"Authorization": f"Bearer {session['token']}"}
    secrets.append(session["token"])
    for partner in ("identity-authority", "card-network", "rail", "sms"):
        stage.hands.set_fault(partner, "down", mode="next", count=1)
    await person.refused("/identity", person.identity())
    await person.post("/identity", person.identity())
    await person.refused("/cards", person.card())
    await person.refused("/cards", person.card() | {"phone": "19900000000"})
    await person.post("/cards", person.card())
    await person.post("/consents", {"sources": ["bureau"]})
    decided = await person.post("/applications", {"student": False}, key=new_key())
    if decided["result"] != "approved":
        await person.hold_line(line_fen=5_000_000, rate_e8=50_000)
    stage.tick(60)
    await stage.work()
    stage.hands.clear_faults()
    body = await person.signature(1_000)
    secrets.append(body["code"])
    stage.hands.set_fault("rail", "lost_answer", mode="next", count=1)
    drawn = await person.post("/draws", body, key=new_key())
    await stage.work()
    stage.tick(60)
    await stage.work()
    await person.repay(drawn["draw_id"], 100_000)
    # a code that is still on its way, and a mistake that names what was sent
    await person.post("/sign-in/otp", {"phone": person.papers.phone})
    await person.refused("/identity", {"name": [person.papers.name], "national_id": person.papers.national_id * 9})
    return person, secrets


@pytest.fixture(scope="module")
async def lived(stage: Stage) -> tuple[Borrower, list[str], str]:
    """One life, its secrets, and everything that was logged on the way."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    keep = Keep(level=logging.DEBUG)
    logging.getLogger().addHandler(keep)
    await cast(stage)
    with structlog.testing.capture_logs() as logs:
        person, secrets = await live(stage)
    logging.getLogger().removeHandler(keep)
    told = "\n".join([*map(repr, logs), *lines])
    return person, secrets, told


async def test_nothing_in_the_database_names_anybody(stage, lived):
    _, secrets, _ = lived
    columns = everything(stage.owner_url)
    assert len(columns) > 30
    # what is looked through is what was written: the life left its traces here
    assert columns["members.members.phone_sealed"]
    assert columns["kit.outbox.payload"]
    assert columns["loans.contracts.content"]
    assert columns["loans.rail_answers.status"]
    for column, values in columns.items():
        for secret in secrets:
            if column in FULL_OF_DIGITS and len(secret) == 6 and secret.isdigit():
                continue  # six digits in a row are in such numbers by chance
            for spelling in spellings(secret):
                assert not any(spelling in value for value in values), f"{secret} lies open in {column}"


async def test_the_search_would_find_what_lies_open(stage, lived):
    person, _, _ = lived
    columns = everything(stage.owner_url)
    masked = (person.papers.name[0] + "*").encode()
    assert any(masked in value for value in columns["loans.contracts.content"])
    last4 = person.papers.card_number[-4:].encode()
    assert last4 in columns["members.cards.last4"]


async def test_the_same_secret_is_sealed_differently_each_time(stage, lived):
    person, _, _ = lived
    sealed = "select phone_sealed, name_sealed, national_id_sealed, wrapped_key from members.members"
    rows = await stage.rows(sealed)
    values = [bytes(value) for row in rows for value in row if value is not None]
    assert len(set(values)) == len(values)
    hashes = await stage.rows("select code_hash from members.one_time_codes where member_id = %s", person.member_id)
    assert all(len(bytes(row[0])) == 32 for row in hashes)


async def test_nothing_in_the_logs_names_anybody(lived):
    _, secrets, told = lived
    assert "transfer_unanswered" in told
    assert "sms_unanswered" in told
    for secret in secrets:
        assert secret not in told


async def test_no_answer_tells_more_than_it_must(lived):
    person, secrets, _ = lived
    shown = "".join([(await person.call("GET", path)).text for path in ("/wallet", "/cards", "/draws", "/loans")])
    assert person.papers.card_number[-4:] in shown
    for secret in secrets[:6]:
        assert secret not in shown
