"""What is committed and what is not, on a real database; and news that is never lost with its teller."""

from datetime import UTC, datetime, timedelta

import pytest

from grainline.kit import outbox
from grainline.kit.db import make_pool, single, transaction
from grainline.kit.errors import Refusal

pytestmark = pytest.mark.anyio

NOW = datetime(2026, 11, 2, 4, 0, tzinfo=UTC)
AGAIN = timedelta(seconds=5)


class WrongTry(Refusal):
    code = "wrong_try"
    keep = True


class Refused(Refusal):
    code = "refused"


@pytest.fixture(scope="module")
async def pool(databases):
    async with make_pool(databases[1], size_max=4) as opened:
        yield opened


async def told(pool, member_id):
    async with single(pool) as tx:
        cursor = await tx.execute("select topic from kit.outbox where member_id = %s order by 1", (member_id,))
        return [row[0] for row in await cursor.fetchall()]


async def tell(tx, member_id, topic="told", *, at=NOW, sealed=None):
    await outbox.emit(tx, member_id=member_id, topic=topic, payload={"amount_fen": 5}, now=at, sealed=sealed)


async def take(pool, *, now=NOW, count=10):
    async with transaction(pool) as tx:
        return await outbox.take(tx, now=now, count=count, again=AGAIN)


@pytest.fixture(autouse=True)
async def nothing_waiting(pool):
    async with single(pool) as tx:
        await tx.execute("update kit.outbox set handled_at = %s where handled_at is null", (NOW,))


async def test_a_transaction_is_committed_at_its_end(pool):
    async with transaction(pool) as tx:
        await tell(tx, 1)
        assert await told(pool, 1) == []  # others do not see it yet
    assert await told(pool, 1) == ["told"]


@pytest.mark.parametrize("error", [Refused(), RuntimeError("broken")])
async def test_a_refusal_and_a_broken_invariant_undo_everything(pool, error):
    with pytest.raises(type(error)):
        async with transaction(pool) as tx:
            await tell(tx, 2)
            raise error
    assert await told(pool, 2) == []


async def test_a_counted_wrong_try_stays_counted(pool):
    with pytest.raises(WrongTry):
        async with transaction(pool) as tx:
            await tell(tx, 3)
            raise WrongTry
    assert await told(pool, 3) == ["told"]


async def test_a_lent_connection_commits_each_statement_by_itself(pool):
    with pytest.raises(RuntimeError):
        async with single(pool) as tx:
            await tell(tx, 4)
            raise RuntimeError
    assert await told(pool, 4) == ["told"]


async def test_news_is_taken_by_one_consumer_at_a_time(pool):
    async with transaction(pool) as tx:
        for member_id in (11, 12, 13):
            await tell(tx, member_id)
    async with transaction(pool) as one, transaction(pool) as other:
        first = await outbox.take(one, now=NOW, count=2, again=AGAIN)
        second = await outbox.take(other, now=NOW, count=10, again=AGAIN)
    assert len(first) == 2
    assert sorted(message.member_id for message in first + second) == [11, 12, 13]


async def test_a_consumer_that_dies_leaves_its_lease_and_the_news_comes_again_later_and_later(pool):
    async with transaction(pool) as tx:
        await tell(tx, 21)
    taken_at, waits = NOW, []
    for _ in range(9):
        assert len(await take(pool, now=taken_at)) == 1
        lease_ends = taken_at
        while not await take_is_due(pool, lease_ends):
            lease_ends += AGAIN
        waits.append((lease_ends - taken_at) // AGAIN)
        taken_at = lease_ends
    assert waits == [1, 2, 4, 8, 16, 32, 64, 64, 64]


async def take_is_due(pool, now):
    async with single(pool) as tx:
        cursor = await tx.execute("select count(*) from kit.outbox where handled_at is null and try_at <= %s", (now,))
        return (await cursor.fetchone())[0]


async def test_a_taker_whose_transaction_fails_has_taken_nothing(pool):
    async with transaction(pool) as tx:
        await tell(tx, 31)
    with pytest.raises(RuntimeError):
        async with transaction(pool) as tx:
            assert len(await outbox.take(tx, now=NOW, count=1, again=AGAIN)) == 1
            raise RuntimeError
    assert [message.member_id for message in await take(pool)] == [31]


async def test_news_is_not_due_before_its_time(pool):
    async with transaction(pool) as tx:
        await tell(tx, 41, at=NOW + AGAIN)
    assert await take(pool) == []
    assert len(await take(pool, now=NOW + AGAIN)) == 1


async def test_handled_news_never_comes_again_and_its_secret_is_forgotten(pool):
    async with transaction(pool) as tx:
        await tell(tx, 51, sealed=b"secret")
    [message] = await take(pool)
    assert (message.topic, message.payload, message.sealed) == ("told", {"amount_fen": 5}, b"secret")
    async with transaction(pool) as tx:
        await outbox.handled(tx, message, now=NOW)
    assert await take(pool, now=NOW + timedelta(days=1)) == []
    async with single(pool) as tx:
        cursor = await tx.execute("select sealed from kit.outbox where member_id = 51")
        assert await cursor.fetchone() == (None,)
