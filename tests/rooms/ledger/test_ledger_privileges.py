"""The application's role can read the book and post to it, and there is no third thing it can do."""

import psycopg
import pytest
from ledger_book import CLEARING, PRINCIPAL, SUBS, lent

TABLES = ("journals", "entries", "balances", "house_balances", "rolled_up", "closed_periods", "accounts")

INSERTS = (
    "insert into ledger.journals (member_id, idempotency_key, input_hash, kind, value_on, booked_at)"
    " values (1, 'forged', '', 'forged', '2026-11-02', '2026-11-02')",
    "insert into ledger.entries (member_id, journal_no, account, sub, amount_fen)"
    " values (1, 1, '1002', '00000000-0000-0000-0000-000000000009', 5)",
    "insert into ledger.balances values (1, '1301', '00000000-0000-0000-0000-000000000009', 5)",
    "insert into ledger.house_balances values ('1301', gen_random_uuid(), 5)",
    "insert into ledger.accounts values ('1999', '甲', 'A', 'asset', 'house')",
    "copy ledger.entries from program 'true'",
)
UPDATES = (
    "update ledger.journals set kind = 'altered'",
    "update ledger.entries set amount_fen = amount_fen + 1",
    "update ledger.entries set amount_fen = amount_fen where false",
    "update ledger.balances set balance_fen = 0",
    "update ledger.house_balances set balance_fen = 0",
    "update ledger.accounts set holder = 'house'",
    "merge into ledger.balances b using ledger.entries e on true when matched then update set balance_fen = 0",
    "select * from ledger.entries for update",
)
DELETES = tuple(f"delete from ledger.{table}" for table in TABLES)
TRUNCATES = tuple(f"truncate ledger.{table} cascade" for table in TABLES)
OTHERWISE = (
    "drop table ledger.entries",
    "drop schema ledger cascade",
    "alter table ledger.entries disable trigger all",
    "alter table ledger.entries owner to grainline_app",
    "alter table ledger.entries drop constraint entries_check",
    "create table ledger.more (a int)",
    "create trigger quiet before insert on ledger.entries for each row execute function ledger.cut()",
    "create or replace function ledger.cut() returns bigint language sql as 'select 0::bigint'",
    "create function ledger.mine() returns bigint language sql as 'select 0::bigint'",
    "alter function ledger.cut() security invoker",
    "set session_replication_role = replica",
    "alter role grainline_app superuser",
    "select pg_catalog.setval('ledger.entries_entry_no_seq', 1)",
    "select nextval('ledger.entries_entry_no_seq')",
)


@pytest.fixture(scope="module")
def posted(book):
    member_id = book.member()
    book.post(lent(member_id, 100))
    return book.rows("select * from ledger.entries"), book.rows("select * from ledger.balances")


@pytest.mark.parametrize("attempt", [*INSERTS, *UPDATES, *DELETES, *TRUNCATES, *OTHERWISE])
@pytest.mark.parametrize("before", ["", "reset role; ", "set role grainline_app; ", "reset session authorization; "])
def test_no_attempt_of_the_application_to_write_the_book_succeeds(book, posted, before, attempt):
    with book.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(before + attempt)
    assert (book.rows("select * from ledger.entries"), book.rows("select * from ledger.balances")) == posted


def test_it_cannot_grant_itself_what_it_was_not_given(book):
    """PostgreSQL answers such a grant with a warning; what counts is that nothing was granted."""
    rights = (
        "select c.relname, privilege_type from pg_class c, aclexplode(c.relacl)"
        " where grantee = 'grainline_app'::regrole"
        " and relnamespace = 'ledger'::regnamespace order by 1, 2"
    )
    with book.connect() as connection:
        connection.execute("grant all on all tables in schema ledger to grainline_app")
    assert book.rows(rights) == sorted((table, "SELECT") for table in TABLES)


def test_the_application_is_itself_and_nobody_else(book):
    assert book.rows("select current_user, session_user") == [("grainline_app", "grainline_app")]
    assert book.rows(
        "select rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolreplication from pg_roles"
        " where rolname = current_user"
    ) == [(False,) * 5]
    assert book.rows("select 1 from pg_auth_members where member = 'grainline_app'::regrole") == []


@pytest.mark.parametrize("how", ["set role {}", "set session authorization {}"])
def test_it_cannot_become_the_owner(book, how):
    owner = book.value("select pg_get_userbyid(relowner) from pg_class where oid = 'ledger.entries'::regclass")
    assert owner != "grainline_app"
    with book.connect() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute(how.format(f'"{owner}"'))


def test_no_table_or_function_of_the_ledger_is_the_applications_own(book):
    owned = book.rows(
        "select relname from pg_class"
        " where relnamespace = 'ledger'::regnamespace and relowner = 'grainline_app'::regrole"
        " union all select proname from pg_proc"
        " where pronamespace = 'ledger'::regnamespace and proowner = 'grainline_app'::regrole"
    )
    assert owned == []


def test_nobody_can_slip_a_function_under_the_posting_call(book):
    """A security definer function with an open search path could be made to call somebody else's operator."""
    loose = book.rows(
        "select proname from pg_proc where pronamespace = 'ledger'::regnamespace and prosecdef"
        " and not coalesce(proconfig, '{}') && array['search_path=pg_catalog']"
    )
    assert loose == []
    with book.connect() as connection:
        connection.execute("create temp table entries (a int)")
        connection.execute("set search_path = pg_temp, ledger")
        member_id = book.member()
        connection.execute(
            "select ledger.post(%s, 'k', 'test', '2026-11-02', '2026-11-02', %s::text[], %s::uuid[], %s::bigint[])",
            (member_id, [PRINCIPAL, CLEARING], [SUBS[0], SUBS[0]], [5, -5]),
        )
    assert book.balances(member_id) == {(PRINCIPAL, SUBS[0]): 5}
