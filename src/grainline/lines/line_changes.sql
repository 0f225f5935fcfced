-- What changes a line itself: its limit, rate, tier and state. Each change holds the line's row until its transaction
-- ends, happens once under its key, is kept in lines.changes, and is told, all at once. A limit may fall below what is
-- in use: nothing is available then, and what is above it is overdrawn; a draw under way keeps what it reserved.
drop function if exists lines.set_overdue(bigint, text, boolean);

-- Hold a line's row; a line that is not there is a row of nulls.
create or replace function lines.held(p_member_id bigint, p_product text)
returns lines.lines language sql as $$
    select * from lines.lines where member_id = p_member_id and product = p_product for update
$$;

create or replace function lines.key_known(p_member_id bigint, p_product text, p_key text)
returns boolean language sql stable as $$
    select exists (select from lines.changes where member_id = p_member_id and product = p_product and key = p_key)
$$;

-- Write a line as it is from now on, keep the change, and tell it: that it was opened whoever opens it tells, and that
-- it is frozen for a loan that is late is told with the loan.
create or replace function lines.note(
    p_old lines.lines, p_new lines.lines, p_key text, p_kind text, p_reasons jsonb, p_words text, p_decision_id uuid,
    p_until date, p_by text, p_now timestamptz, p_told boolean default true
) returns void language plpgsql as $$
begin
    update lines.lines l set
        state = p_new.state, frozen_for = p_new.frozen_for, holds = p_new.holds, tier = p_new.tier,
        rate_e8 = p_new.rate_e8, reasons = p_new.reasons, limit_fen = p_new.limit_fen,
        temporary_fen = p_new.temporary_fen, changes = p_old.changes + 1,
        overdrawn_fen = greatest(l.used_fen + l.reserved_fen - p_new.limit_fen, 0)
    where l.member_id = p_old.member_id and l.product = p_old.product;
    insert into lines.changes (member_id, product, change_no, key, kind, from_fen, to_fen, from_rate_e8, to_rate_e8,
        from_tier, to_tier, state, frozen_for, until_on, reasons, decision_id, made_by, made_at)
    values (p_old.member_id, p_old.product, p_old.changes + 1, p_key, p_kind, p_old.limit_fen, p_new.limit_fen,
        p_old.rate_e8, p_new.rate_e8, p_old.tier, p_new.tier, p_new.state, p_new.frozen_for, p_until, p_reasons,
        p_decision_id, p_by, p_now);
    if p_told then
        insert into kit.outbox (member_id, topic, payload, created_at, try_at) values (
            p_old.member_id, 'line.' || case p_kind when 'temporary_raise' then 'temporary' else p_kind end,
            jsonb_build_object('product', p_old.product, 'from_fen', p_old.limit_fen, 'limit_fen', p_new.limit_fen,
                'from_rate_e8', p_old.rate_e8, 'rate_e8', p_new.rate_e8, 'until', p_until, 'reason', p_reasons ->> 0,
                'words', p_words),
            p_now, p_now);
    end if;
end $$;

-- Open a line, once; false where there is one.
create or replace function lines.open(
    p_member_id bigint, p_product text, p_tier text, p_limit bigint, p_rate_e8 int, p_reasons jsonb,
    p_next_review_on date, p_idle_look_on date, p_decision_id uuid, p_by text, p_now timestamptz
) returns boolean language plpgsql as $$
begin
    insert into lines.lines (member_id, product, state, tier, limit_fen, rate_e8, reasons, opened_at, changes,
        next_review_on, idle_look_on)
    values (p_member_id, p_product, 'open', p_tier, p_limit, p_rate_e8, p_reasons, p_now, 1,
        p_next_review_on, p_idle_look_on)
    on conflict (member_id, product) do nothing;
    if not found then
        return false;
    end if;
    insert into lines.changes (member_id, product, change_no, key, kind, to_fen, to_rate_e8, to_tier, state, reasons,
        decision_id, made_by, made_at)
    values (p_member_id, p_product, 1, 'opened', 'opened', p_limit, p_rate_e8, p_tier, 'open', p_reasons,
        p_decision_id, p_by, p_now);
    return true;
end $$;

-- Set a line's own limit, its rate and tier; what raises it for a time comes on top. The limit is one change, the rate
-- with the tier another. False where nothing is to be changed, or the key is known.
create or replace function lines.set_terms(
    p_member_id bigint, p_product text, p_key text, p_own_limit bigint, p_rate_e8 int, p_tier text, p_reasons jsonb,
    p_words text, p_decision_id uuid, p_by text, p_now timestamptz
) returns boolean language plpgsql as $$
declare
    v_old lines.lines := lines.held(p_member_id, p_product);
    v_new lines.lines := v_old;
    v_changed boolean := false;
begin
    if v_old.member_id is null or v_old.state = 'closed' then
        return false;
    end if;
    v_new.reasons := p_reasons;
    v_new.limit_fen := p_own_limit + v_old.temporary_fen;
    if v_new.limit_fen <> v_old.limit_fen and not lines.key_known(p_member_id, p_product, p_key || '/limit') then
        perform lines.note(v_old, v_new, p_key || '/limit',
            case when v_new.limit_fen > v_old.limit_fen then 'raised' else 'lowered' end,
            p_reasons, p_words, p_decision_id, null, p_by, p_now);
        v_changed := true;
        v_old := lines.held(p_member_id, p_product);
    end if;
    v_new := v_old;
    v_new.reasons := p_reasons;
    v_new.rate_e8 := p_rate_e8;
    v_new.tier := p_tier;
    if (v_new.rate_e8, v_new.tier) <> (v_old.rate_e8, v_old.tier)
        and not lines.key_known(p_member_id, p_product, p_key || '/rate') then
        perform lines.note(v_old, v_new, p_key || '/rate', 'repriced', p_reasons, p_words, p_decision_id, null,
            p_by, p_now, v_new.rate_e8 <> v_old.rate_e8);
        v_changed := true;
    end if;
    return v_changed;
end $$;

-- The strongest of what holds a line.
create or replace function lines.strongest(p_holds text[])
returns text language sql immutable as $$
    select hold from unnest(array['overdue', 'operator', 'review', 'consent', 'member']) with ordinality as o (hold, place)
    where hold = any (p_holds) order by place limit 1
$$;

-- Freeze a line for one more thing; false where that holds it already, it is closed, or the key is known.
create or replace function lines.freeze(
    p_member_id bigint, p_product text, p_key text, p_hold text, p_reasons jsonb, p_words text, p_decision_id uuid,
    p_by text, p_now timestamptz
) returns boolean language plpgsql as $$
declare
    v_old lines.lines := lines.held(p_member_id, p_product);
    v_new lines.lines := v_old;
begin
    if v_old.member_id is null or v_old.state = 'closed' or p_hold = any (v_old.holds)
        or lines.key_known(p_member_id, p_product, p_key) then
        return false;
    end if;
    v_new.holds := v_old.holds || p_hold;
    v_new.state := 'frozen';
    v_new.frozen_for := lines.strongest(v_new.holds);
    perform lines.note(v_old, v_new, p_key, 'frozen', p_reasons, p_words, p_decision_id, null, p_by, p_now,
        p_hold <> 'overdue');
    return true;
end $$;

-- Let go of what holds a line; it is open where nothing else does, and that is told. False where none of it held it.
create or replace function lines.thaw(
    p_member_id bigint, p_product text, p_key text, p_holds text[], p_reasons jsonb, p_words text, p_decision_id uuid,
    p_by text, p_now timestamptz
) returns boolean language plpgsql as $$
declare
    v_old lines.lines := lines.held(p_member_id, p_product);
    v_new lines.lines := v_old;
begin
    if v_old.member_id is null or v_old.state <> 'frozen' or not v_old.holds && p_holds
        or lines.key_known(p_member_id, p_product, p_key) then
        return false;
    end if;
    v_new.holds := array(select hold from unnest(v_old.holds) as hold where hold <> all (p_holds));
    v_new.frozen_for := lines.strongest(v_new.holds);
    v_new.state := case when v_new.frozen_for is null then 'open' else 'frozen' end;
    perform lines.note(v_old, v_new, p_key, 'thawed', p_reasons, p_words, p_decision_id, null, p_by, p_now,
        v_new.state = 'open');
    return true;
end $$;

-- Close a line for good; null, or the refusal. A member's own only where nothing of it is in use.
create or replace function lines.close(
    p_member_id bigint, p_product text, p_key text, p_unused boolean, p_reasons jsonb, p_by text, p_now timestamptz
) returns text language plpgsql as $$
declare
    v_old lines.lines := lines.held(p_member_id, p_product);
    v_new lines.lines := v_old;
begin
    if v_old.member_id is null then
        return 'no_line';
    end if;
    if v_old.state = 'closed' then
        return null;
    end if;
    if p_unused and v_old.used_fen + v_old.reserved_fen > 0 then
        return 'line_in_use';
    end if;
    v_new.state := 'closed';
    perform lines.note(v_old, v_new, p_key, 'closed', p_reasons, null, null, null, p_by, p_now);
    return null;
end $$;

-- Raise an open line for a time, once under a code; false where that was done, or the line is not open.
create or replace function lines.raise_until(
    p_member_id bigint, p_product text, p_code text, p_amount bigint, p_from date, p_until date, p_reasons jsonb,
    p_by text, p_now timestamptz
) returns boolean language plpgsql as $$
declare
    v_old lines.lines := lines.held(p_member_id, p_product);
    v_new lines.lines := v_old;
begin
    if v_old.state is distinct from 'open' then
        return false;
    end if;
    insert into lines.temporary_raises (member_id, product, code, amount_fen, from_on, until_on, begun_at)
    values (p_member_id, p_product, p_code, p_amount, p_from, p_until, p_now) on conflict do nothing;
    if not found then
        return false;
    end if;
    v_new.limit_fen := v_old.limit_fen + p_amount;
    v_new.temporary_fen := v_old.temporary_fen + p_amount;
    perform lines.note(v_old, v_new, 'temporary/' || p_code, 'temporary_raise', p_reasons, null, null, p_until, p_by,
        p_now);
    return true;
end $$;

-- Take back what raised lines for a time that is over, at most so many; return how many.
create or replace function lines.return_due(p_day date, p_count int, p_now timestamptz)
returns int language plpgsql as $$
declare
    v_raise lines.temporary_raises;
    v_old lines.lines;
    v_new lines.lines;
    v_found int := 0;
begin
    for v_raise in
        select * from lines.temporary_raises where returned_at is null and until_on <= p_day
        order by until_on, member_id limit p_count for update skip locked
    loop
        v_old := lines.held(v_raise.member_id, v_raise.product);
        v_new := v_old;
        v_new.limit_fen := v_old.limit_fen - v_raise.amount_fen;
        v_new.temporary_fen := v_old.temporary_fen - v_raise.amount_fen;
        update lines.temporary_raises set returned_at = p_now
        where member_id = v_raise.member_id and product = v_raise.product and code = v_raise.code;
        perform lines.note(v_old, v_new, 'returned/' || v_raise.code, 'returned', '["temporary_over"]', null, null,
            v_raise.until_on, 'platform', p_now, v_old.state <> 'closed');
        v_found := v_found + 1;
    end loop;
    return v_found;
end $$;

-- Ask that a line be looked at again; false where that was asked for under this key. Where one of this cause is open it
-- takes the new key and is as old as that: a review that has begun answers what it began with, and not this.
create or replace function lines.ask_review(
    p_member_id bigint, p_product text, p_key text, p_cause text, p_now timestamptz
) returns boolean language plpgsql as $$
begin
    loop
        insert into lines.reviews (member_id, product, key, cause, asked_at, try_at)
        values (p_member_id, p_product, p_key, p_cause, p_now, p_now) on conflict do nothing;
        if found then
            return true;
        end if;
        perform from lines.reviews where member_id = p_member_id and product = p_product and key = p_key;
        if found then
            return false;
        end if;
        update lines.reviews set key = p_key, asked_at = p_now
        where member_id = p_member_id and product = p_product and cause = p_cause and done_at is null;
        if found then
            return true;
        end if;
        -- what was open was answered while this waited for it: then this one is new
    end loop;
end $$;

-- Freeze a line while a loan on it is overdue, let go of it when none is, and have it looked at again either way.
create or replace function lines.set_overdue(p_member_id bigint, p_product text, p_overdue boolean, p_now timestamptz)
returns void language plpgsql as $$
declare
    v_line lines.lines := lines.held(p_member_id, p_product);
    v_cause text := case when p_overdue then 'overdue' else 'cured' end;
    v_key text := v_cause || '/' || v_line.changes + 1;
    v_done boolean;
begin
    if p_overdue then
        v_done := lines.freeze(p_member_id, p_product, v_key, 'overdue', '["overdue"]', null, null, 'platform', p_now);
    else
        v_done := lines.thaw(p_member_id, p_product, v_key, '{overdue}', '["cured"]', null, null, 'platform', p_now);
    end if;
    if v_done then
        perform lines.ask_review(p_member_id, p_product, v_key, v_cause, p_now);
    end if;
end $$;
