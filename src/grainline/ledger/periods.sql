-- Accounting periods: months that are closed in order and never opened again.

-- Return whether something may still be booked on a day. Posting asks after its journal is inserted and in a statement of
-- its own: closing locks the journals' table, so that either the period's end is seen or the closing waits.
create or replace function ledger.period_open(p_day date) returns boolean
language sql stable as $$
    select not exists (select 1 from ledger.closed_periods where ends_on >= p_day)
$$;

-- Return the last day of the last closed period, or null, and keep it the last until the caller's transaction is over:
-- whoever closes one waits, as for a posting under way. What is dated by the answer is therefore never refused.
create or replace function ledger.hold_periods() returns date
language plpgsql security definer set search_path = pg_catalog as $$
begin
    lock table ledger.journals in row exclusive mode;
    return (select max(ends_on) from ledger.closed_periods);
end $$;

-- Close the period that ends on a day; false where it is closed. Postings under way are waited for, later ones wait.
-- With the year's last month, income and expense go to retained earnings, one journal for each product.
-- Raises GL005 for a day that is no month's end, or not the end of the next month.
create or replace function ledger.close_period(p_ends_on date, p_closed_at timestamptz, p_closed_by text) returns boolean
language plpgsql security definer set search_path = pg_catalog as $$
declare
    v_closed date;
    v_product record;
begin
    lock table ledger.journals in share row exclusive mode;
    select max(ends_on) into v_closed from ledger.closed_periods;
    if exists (select 1 from ledger.closed_periods where ends_on = p_ends_on) then
        return false;
    elsif extract(day from p_ends_on + 1) <> 1
        or p_ends_on <> (date_trunc('month', (v_closed + 1)::timestamp) + interval '1 month - 1 day')::date then
        raise exception '% is not the end of the period after %', p_ends_on, v_closed using errcode = 'GL005';
    end if;
    if extract(month from p_ends_on) = 12 then
        for v_product in
            select sub, array_agg(account order by account) as accounts, array_agg(-fen order by account) as amounts,
                sum(fen)::bigint as result
            from (
                select e.account, e.sub, sum(e.amount_fen)::bigint as fen
                from ledger.entries e join ledger.journals j using (member_id, journal_no)
                join ledger.accounts a on a.code = e.account and a.kind in ('income', 'expense')
                where j.value_on <= p_ends_on group by 1, 2 having sum(e.amount_fen) <> 0
            ) as year
            group by sub order by sub
        loop
            if v_product.result <> 0 then
                v_product.accounts := v_product.accounts || '4104'::text;
                v_product.amounts := v_product.amounts || v_product.result;
            end if;
            perform ledger.post(
                0, 'year_end/' || v_product.sub || '/' || p_ends_on, 'year_end', p_ends_on, p_closed_at,
                v_product.accounts, array_fill(v_product.sub, array[cardinality(v_product.accounts)]), v_product.amounts);
        end loop;
    end if;
    insert into ledger.closed_periods (ends_on, closed_at, closed_by, through_journal)
    select p_ends_on, p_closed_at, p_closed_by, last_value from ledger.journals_journal_no_seq;
    return true;
end $$;

revoke execute on function ledger.close_period, ledger.hold_periods from public;
grant execute on function ledger.period_open, ledger.close_period, ledger.hold_periods to grainline_app;
