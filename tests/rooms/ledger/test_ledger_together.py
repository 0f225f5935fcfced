"""Many hands on one book: no posting is lost, no balance is wrong, and no roll-up misses an entry."""

import threading
from concurrent.futures import ThreadPoolExecutor

from ledger_book import CLEARING, INCOME, INTEREST, PRINCIPAL, SUBS, Posting, lent, post, post_batch

SUB = SUBS[0]
HANDS = 8


def together(book, act, *, hands=HANDS):
    """Give each of `hands` threads its own connection, start them at once, return what each returned."""
    start = threading.Barrier(hands)

    def hand(number):
        with book.connect() as connection:
            start.wait(10)
            return act(connection, number)

    with ThreadPoolExecutor(hands) as pool:
        return list(pool.map(hand, range(hands)))


def assert_house_is_right(book):
    for account in (CLEARING, INCOME):
        entries = book.value("select coalesce(sum(amount_fen), 0) from ledger.entries where account = %s", account)
        assert book.value("select ledger.house_balance(%s)", account) == entries


def roll_up(connection):
    cut = connection.execute("select ledger.cut()").fetchone()[0]
    connection.execute("select ledger.roll_up(%s)", (cut,))


def test_eight_hands_post_to_one_account_and_every_fen_is_there(book):
    member_id = book.member()

    def act(connection, hand):
        for number in range(20):
            post(connection, lent(member_id, hand + 1, key=f"{hand}/{number}"))

    together(book, act)
    assert book.balances(member_id) == {(PRINCIPAL, SUB): 20 * sum(range(1, HANDS + 1))}
    running = 0
    for _, amount, after in book.statement(member_id)[PRINCIPAL, SUB]:
        running += amount
        assert after == running


def test_eight_hands_with_the_same_key_post_one_journal(book):
    member_id = book.member()
    numbers = together(
        book, lambda connection, _: [post(connection, lent(member_id, 9, key=str(n))) for n in range(10)]
    )
    assert all(other == numbers[0] for other in numbers)
    assert book.balances(member_id) == {(PRINCIPAL, SUB): 90}


def test_batches_that_share_journals_and_accounts_neither_deadlock_nor_post_twice(book):
    members = [book.member() for _ in range(4)]
    batch = [lent(member_id, 1, key=str(number)) for number in range(10) for member_id in members]

    def act(connection, hand):
        mine = batch[hand * 5 :] + batch[: hand * 5]  # each begins elsewhere
        return post_batch(connection, mine)

    assert sum(together(book, act)) == len(batch)
    for member_id in members:
        assert book.balances(member_id) == {(PRINCIPAL, SUB): 10}


def test_an_account_that_all_draw_from_is_never_overdrawn(book):
    """100 fen lent, eight hands take back 30 each: three succeed."""
    member_id = book.member()
    book.post(lent(member_id, 100))

    def act(connection, hand):
        try:
            post(connection, lent(member_id, -30, key=f"back/{hand}"))
        except Exception as error:
            return type(error).__name__
        return "taken"

    assert sorted(together(book, act)) == ["CheckViolation"] * 5 + ["taken"] * 3
    assert book.balances(member_id) == {(PRINCIPAL, SUB): 10}


def test_the_house_is_right_while_it_is_rolled_up_under_posting(book):
    """Six hands post, two roll up all the while; rolled-up balance and tail are the entries' sum at every end."""
    members = [book.member() for _ in range(6)]
    posting = threading.Semaphore(0)

    def act(connection, hand):
        if hand >= len(members):
            rolls = 0
            while not posting.acquire(blocking=False):
                roll_up(connection)
                rolls += 1
            posting.release()
            return rolls
        for number in range(30):
            post(connection, lent(members[hand], 10 + hand, key=f"lend/{number}"))
            due = ((INTEREST, SUB, 3), (INCOME, SUB, -3))
            post_batch(connection, [Posting(members[hand], f"due/{number}", due)])
        posting.release()
        return 0

    assert sum(together(book, act)) > 0
    assert_house_is_right(book)
    assert book.value("select balance_fen from ledger.house_balances where account = %s", CLEARING) != 0
    roll_up(book.connection)
    assert_house_is_right(book)
    last = book.value("select max(entry_no) from ledger.entries")
    assert {row[0] for row in book.rows("select through_entry from ledger.rolled_up")} == {last}


def test_rolling_up_twice_is_rolling_up_once(book):
    book.post(lent(book.member(), 100))
    roll_up(book.connection)
    before = book.rows("select * from ledger.house_balances order by 1")
    roll_up(book.connection)
    book.connection.execute("select ledger.roll_up(%s)", (before[0][2] - 1,))  # a cut of long ago
    assert book.rows("select * from ledger.house_balances order by 1") == before


def test_a_cut_waits_for_a_posting_under_way_and_counts_it(book):
    """The number was drawn before the cut; a cut that did not wait would leave the entry behind for ever."""
    with book.connect() as slow, book.connect() as cutter, ThreadPoolExecutor(1) as pool:
        with slow.transaction():
            post(slow, lent(book.member(), 100))
            cut = pool.submit(lambda: cutter.execute("select ledger.cut()").fetchone()[0])
            waiting = "select count(*) from pg_stat_activity where pid = %s and wait_event_type = 'Lock'"
            while not book.value(waiting, cutter.info.backend_pid):
                assert not cut.done()
        assert cut.result(10) == book.value("select max(entry_no) from ledger.entries")
    book.connection.execute("select ledger.roll_up(%s)", (cut.result(),))
    assert_house_is_right(book)
