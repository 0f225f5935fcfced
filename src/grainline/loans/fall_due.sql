-- Let loans that are paid up fall due on a day as their rows say they will: the amount becomes due, its interest is
-- charged (1302 from 1305), the books have reached the day. At most so many; return how many it found. What somebody
-- else holds is left out. The rest of a loan's life is the fold's (`day.py`); a row it wrote says null where its next
-- due date brings more than this.
create or replace function loans.fall_due(p_day date, p_count int, p_value_on date, p_booked_at timestamptz)
returns int language plpgsql as $$
declare
    v_found int;
    v_members bigint[];
    v_loans uuid[];
    v_houses uuid[];
    v_charged bigint[];
    v_keys text[];
    v_journals int[];
    v_accounts text[];
    v_subs uuid[];
    v_amounts bigint[];
begin
    with taken as materialized (
        select member_id, loan_id, product, then_charged_fen from loans.loans
        where change_on = p_day and then_due_fen is not null
        limit p_count for update skip locked
    ), moved as (
        update loans.loans l set booked_through = p_day, due_fen = l.then_due_fen, accrued = l.then_accrued,
            change_on = p_day + 1, then_due_fen = null, then_charged_fen = null, then_accrued = null
        from taken t where l.member_id = t.member_id and l.loan_id = t.loan_id
    )
    select count(*), array_agg(member_id) filter (where then_charged_fen > 0),
        array_agg(loan_id) filter (where then_charged_fen > 0),
        array_agg(md5(product)::uuid) filter (where then_charged_fen > 0),
        array_agg(then_charged_fen) filter (where then_charged_fen > 0)
    into v_found, v_members, v_loans, v_houses, v_charged
    from taken;
    if v_members is not null then
        v_keys := (select array_agg('due/' || loan || '/' || p_day order by n)
            from unnest(v_loans) with ordinality as u (loan, n));
        with leg as (
            select n, leg, u.loan, u.house, u.charged
            from unnest(v_loans, v_houses, v_charged) with ordinality as u (loan, house, charged, n)
            cross join generate_series(1, 2) as leg
        )
        select array_agg(n order by n, leg), array_agg(case leg when 1 then '1302' else '1305' end order by n, leg),
            array_agg(case leg when 1 then loan else house end order by n, leg),
            array_agg(case leg when 1 then charged else -charged end order by n, leg)
        into v_journals, v_accounts, v_subs, v_amounts
        from leg;
        perform ledger.post_batch(
            v_members, v_keys,
            array_fill('interest_due'::text, array[cardinality(v_members)]),
            array_fill(p_value_on, array[cardinality(v_members)]),
            p_booked_at, v_journals, v_accounts, v_subs, v_amounts);
    end if;
    return v_found;
end $$;
