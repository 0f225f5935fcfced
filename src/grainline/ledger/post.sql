-- Posting: the only way an entry comes to be. Both functions run with the owner's rights; the application's role has
-- no right of its own to write the ledger.

-- Post one journal under a member and return its number. Amounts are signed fen, debits positive; an account (with its
-- sub-account) appears at most once. The same key with the same input returns the number it had; with another input
-- it raises GL001. A journal that does not balance raises GL002. Accounts are locked in sorted order.
-- An account that would be overdrawn breaks the check on its entry.
create or replace function ledger.post(
    p_member_id bigint, p_key text, p_kind text, p_value_on date, p_booked_at timestamptz,
    p_accounts text[], p_subs uuid[], p_amounts bigint[]
) returns bigint language plpgsql security definer set search_path = pg_catalog as $$
declare
    v_hash bytea := sha256(convert_to(
        concat_ws('|', p_kind, p_value_on, p_accounts::text, p_subs::text, p_amounts::text), 'UTF8'));
    v_journal_no bigint;
    v_total numeric := 0;
    v_amount bigint;
    v_known_hash bytea;
    v_line record;
    v_balance bigint;
begin
    foreach v_amount in array p_amounts loop
        v_total := v_total + v_amount;
    end loop;
    if v_total is distinct from 0 or cardinality(p_amounts) < 2
        or cardinality(p_accounts) <> cardinality(p_amounts) or cardinality(p_subs) <> cardinality(p_amounts) then
        raise exception 'journal % of member % does not balance: %', p_key, p_member_id, p_amounts
            using errcode = 'GL002';
    end if;

    insert into ledger.journals (member_id, idempotency_key, input_hash, kind, value_on, booked_at)
    values (p_member_id, p_key, v_hash, p_kind, p_value_on, p_booked_at)
    on conflict (member_id, idempotency_key) do nothing
    returning journal_no into v_journal_no;
    if v_journal_no is null then
        select journal_no, input_hash into v_journal_no, v_known_hash
        from ledger.journals where member_id = p_member_id and idempotency_key = p_key;
        if v_known_hash <> v_hash then
            raise exception 'journal % of member % was posted with another input', p_key, p_member_id
                using errcode = 'GL001';
        end if;
        return v_journal_no;
    end if;
    if not ledger.period_open(p_value_on) then
        raise exception 'journal % of member % counts from %, in a closed period', p_key, p_member_id, p_value_on
            using errcode = 'GL004';
    end if;

    -- Statement by statement: for the few lines of one journal, less work than one statement over all of them.
    for v_line in
        select l.account, l.sub, l.amount, a.holder
        from unnest(p_accounts, p_subs, p_amounts) as l (account, sub, amount)
        left join ledger.accounts a on a.code = l.account
        order by l.account, l.sub
    loop
        v_balance := null;
        if v_line.holder is null then
            raise exception 'journal % of member % names an account outside the chart: %',
                p_key, p_member_id, p_accounts using errcode = 'GL003';
        elsif v_line.holder = 'member' then
            insert into ledger.balances as b (member_id, account, sub, balance_fen)
            values (p_member_id, v_line.account, v_line.sub, v_line.amount)
            on conflict (member_id, account, sub) do update set balance_fen = b.balance_fen + excluded.balance_fen
            returning b.balance_fen into v_balance;
        end if;
        insert into ledger.entries (member_id, journal_no, account, sub, amount_fen, balance_after_fen)
        values (p_member_id, v_journal_no, v_line.account, v_line.sub, v_line.amount, v_balance);
    end loop;
    return v_journal_no;
end $$;

-- Post many journals in one call and return how many were new. Journal i is (p_members[i], p_keys[i], …); line j
-- belongs to journal p_journals[j]. The rules are those of `post`. The balance after each entry is in the order of the
-- journals within the batch.
create or replace function ledger.post_batch(
    p_members bigint[], p_keys text[], p_kinds text[], p_value_ons date[], p_booked_at timestamptz,
    p_journals int[], p_accounts text[], p_subs uuid[], p_amounts bigint[]
) returns int language plpgsql security definer set search_path = pg_catalog as $$
declare
    v_hashes bytea[];
    v_journal_nos bigint[];
    v_bad text;
    v_lines int;
    v_entries int;
begin
    with line as (
        select journal, string_agg(account, ',' order by place) as accounts, sum(amount) as total,
            string_agg(sub::text, ',' order by place) as subs, string_agg(amount::text, ',' order by place) as amounts
        from unnest(p_journals, p_accounts, p_subs, p_amounts) with ordinality as l (journal, account, sub, amount, place)
        group by journal having count(*) >= 2
    ), journal as (
        select j.place, j.member_id, j.key, j.kind, j.value_on, line.total,
            row_number() over (partition by j.member_id, j.key order by j.place) = 1 as is_first,
            sha256(convert_to(concat_ws('|', j.kind, j.value_on,
                '{' || line.accounts || '}', '{' || line.subs || '}', '{' || line.amounts || '}'), 'UTF8')) as hash
        from unnest(p_members, p_keys, p_kinds, p_value_ons) with ordinality as j (member_id, key, kind, value_on, place)
        left join line on line.journal = j.place
    ), created as (
        insert into ledger.journals (member_id, idempotency_key, input_hash, kind, value_on, booked_at)
        select member_id, key, hash, kind, value_on, p_booked_at from journal
        where is_first and total = 0 order by member_id, key
        on conflict (member_id, idempotency_key) do nothing
        returning member_id, idempotency_key, journal_no
    )
    select array_agg(hash order by place), array_agg(coalesce(journal_no, 0) order by place),
        min(key) filter (where total is distinct from 0)
    into v_hashes, v_journal_nos, v_bad
    from journal left join created
        on is_first and created.member_id = journal.member_id and created.idempotency_key = journal.key;
    if v_bad is not null then
        raise exception 'journal % does not balance', v_bad using errcode = 'GL002';
    end if;

    select min(j.key) into v_bad
    from unnest(p_members, p_keys, v_hashes, v_journal_nos) as j (member_id, key, hash, journal_no)
    join ledger.journals known on known.member_id = j.member_id and known.idempotency_key = j.key
    where j.journal_no = 0 and known.input_hash <> j.hash;
    if v_bad is not null then
        raise exception 'journal % was posted with another input', v_bad using errcode = 'GL001';
    end if;

    if not ledger.period_open(
        (select min(j.value_on) from unnest(p_value_ons, v_journal_nos) as j (value_on, journal_no)
         where j.journal_no <> 0)) then
        raise exception 'a journal of the batch counts from a closed period' using errcode = 'GL004';
    end if;

    with line as (
        select j.member_id, j.journal_no, j.place, l.account, l.sub, l.amount, a.holder
        from unnest(p_journals, p_accounts, p_subs, p_amounts) as l (journal, account, sub, amount)
        join unnest(p_members, v_journal_nos) with ordinality as j (member_id, journal_no, place) on j.place = l.journal
        left join ledger.accounts a on a.code = l.account
        where j.journal_no <> 0
    ), moved as (
        insert into ledger.balances as b (member_id, account, sub, balance_fen)
        select member_id, account, sub, sum(amount) from line where holder = 'member'
        group by member_id, account, sub order by member_id, account, sub
        on conflict (member_id, account, sub) do update set balance_fen = b.balance_fen + excluded.balance_fen
        returning b.member_id, b.account, b.sub, b.balance_fen
    ), entered as (
        insert into ledger.entries (member_id, journal_no, account, sub, amount_fen, balance_after_fen)
        select line.member_id, line.journal_no, line.account, line.sub, line.amount,
            moved.balance_fen - coalesce(sum(line.amount) over (
                partition by line.member_id, line.account, line.sub order by line.place
                rows between 1 following and unbounded following), 0)
        from line left join moved
            on moved.member_id = line.member_id and moved.account = line.account and moved.sub = line.sub
        where line.holder is not null
        returning 1
    )
    select (select count(*) from line), (select count(*) from entered) into v_lines, v_entries;
    if v_lines <> v_entries then
        raise exception 'the batch names an account outside the chart' using errcode = 'GL003';
    end if;
    return (select count(*) from unnest(v_journal_nos) as no where no <> 0);
end $$;

-- Return the number of the last entry, with every posting before it finished. The lock waits for postings under way and
-- is gone with this call's transaction: a number is drawn under the table's lock, so none below the cut is still to come.
create or replace function ledger.cut() returns bigint
language plpgsql security definer set search_path = pg_catalog as $$
begin
    lock table ledger.entries in share mode;
    return (select coalesce(max(entry_no), 0) from ledger.entries
            where entry_no > (select through_entry from ledger.rolled_up));
end $$;

-- Roll the house accounts, each by its sub-accounts, up to a cut that `ledger.cut` returned; the same cut twice changes
-- nothing.
create or replace function ledger.roll_up(p_cut bigint) returns void
language plpgsql security definer set search_path = pg_catalog as $$
declare
    v_from bigint;
begin
    select through_entry into v_from from ledger.rolled_up for update;
    if p_cut <= v_from then
        return;
    end if;
    insert into ledger.house_balances as h (account, sub, balance_fen)
    select e.account, e.sub, sum(e.amount_fen) from ledger.entries e
    join ledger.accounts a on a.code = e.account and a.holder = 'house'
    where e.entry_no > v_from and e.entry_no <= p_cut
    group by e.account, e.sub
    on conflict (account, sub) do update set balance_fen = h.balance_fen + excluded.balance_fen;
    update ledger.rolled_up set through_entry = p_cut;
end $$;

-- Return a house account's balance now: what is rolled up, and the tail since. Of one sub-account, or of all.
create or replace function ledger.house_balance(p_account text, p_sub uuid default null) returns bigint
language sql stable parallel safe security definer set search_path = pg_catalog as $$
    select (coalesce((
        select sum(h.balance_fen) from ledger.house_balances h
        where h.account = p_account and (p_sub is null or h.sub = p_sub)), 0) + coalesce((
        select sum(e.amount_fen) from ledger.entries e
        where e.entry_no > (select through_entry from ledger.rolled_up)
            and e.account = p_account and (p_sub is null or e.sub = p_sub)), 0))::bigint
$$;

revoke execute on function ledger.cut, ledger.roll_up from public;
grant execute on function ledger.post, ledger.post_batch, ledger.cut, ledger.roll_up, ledger.house_balance
    to grainline_app;
