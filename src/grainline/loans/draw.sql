-- A draw in one round trip: session, idempotency, signature, limits, line, ledger, in one transaction. A refusal is
-- returned, not raised, and leaves nothing written but a counted wrong try at the code, which is why it is not raised.
-- The amount is reserved on the line and held in the ledger; the money moves after the commit.
create or replace function loans.draw(
    p_member_id bigint, p_token_hash bytea, p_draw_id uuid, p_key text, p_input_hash bytea, p_contract_id uuid,
    p_contract_hash bytea, p_code_hash bytea, p_now timestamptz, p_drawn_on date,
    out refusal text, out made loans.draws, out card_last4 text
) language plpgsql as $$
declare
    v_contract loans.contracts;
    v_terms loans.disclosures;
begin
    if not members.session_lives(p_member_id, p_token_hash, p_now) then
        refusal := 'not_signed_in';
        return;
    end if;
    -- the contract's lock comes first: whoever held it may have drawn under this very key
    select * into v_contract from loans.contracts c
    where c.member_id = p_member_id and c.contract_id = p_contract_id for update;
    select * into made from loans.draws d where d.member_id = p_member_id and d.idempotency_key = p_key;
    if made.draw_id is not null then
        if made.input_hash <> p_input_hash then
            refusal := 'idempotency_key_reused';
        end if;
    elsif v_contract.contract_id is null then
        refusal := 'contract_not_found';
    else
        select * into strict v_terms from loans.disclosures d
        where d.member_id = p_member_id and d.disclosure_id = v_contract.disclosure_id;
        refusal := case
            when v_contract.content_hash <> p_contract_hash then 'contract_altered'
            when v_contract.signed_at is not null then 'contract_signed'
            when v_terms.expires_at <= p_now or v_terms.starts_on <> p_drawn_on then 'disclosure_stale'
            else coalesce(
                members.try_code(p_member_id, 'sign_contract', p_contract_id::text, p_code_hash, p_now),
                loans.hold(p_member_id, v_terms.product, p_drawn_on, v_terms.amount_fen))
        end;
        if refusal is null then
            insert into loans.draws (
                member_id, draw_id, product, rules, contract_id, card_id, amount_fen, instalments, rate_e8, purpose,
                state, idempotency_key, input_hash, drawn_on, signed_at, expected_by, ask_at, campaign)
            values (
                p_member_id, p_draw_id, v_terms.product, v_terms.rules, p_contract_id, v_terms.card_id, v_terms.amount_fen,
                v_terms.instalments, v_terms.rate_e8, v_terms.purpose, 'reserved',
                p_key, p_input_hash, p_drawn_on, p_now, p_now + v_terms.funded_within, p_now, v_terms.campaign)
            returning * into made;
            perform ledger.post(
                p_member_id, 'draw/' || p_draw_id, 'draw_reserved', p_drawn_on, p_now,
                array['1303', '2202'], array[p_draw_id, p_draw_id], array[made.amount_fen, -made.amount_fen]);
            update loans.contracts c set signed_at = p_now
            where c.member_id = p_member_id and c.contract_id = p_contract_id;
            perform members.spend_code(p_member_id, 'sign_contract', p_now);
        end if;
    end if;
    if refusal is null then
        select c.last4 into card_last4 from members.cards c
        where c.member_id = p_member_id and c.card_id = made.card_id;
    end if;
end $$;

-- Hold an amount on the line and against the day, or neither; null, or the refusal.
create or replace function loans.hold(p_member_id bigint, p_product text, p_drawn_on date, p_amount bigint)
returns text language plpgsql as $$
declare
    v_refusal text := lines.reserve(p_member_id, p_product, p_amount);
begin
    if v_refusal is null then
        v_refusal := guard.count_draw(p_member_id, p_product, p_drawn_on, p_amount);
        if v_refusal is not null then
            perform lines.release(p_member_id, p_product, p_amount);
        end if;
    end if;
    return v_refusal;
end $$;

-- The rail paid a draw: the loan begins on the day it was paid. Returns false where the draw was already decided.
create or replace function loans.confirm_payout(
    p_member_id bigint, p_draw_id uuid, p_paid_at timestamptz, p_started_on date, p_first_due_on date,
    p_then_due_fen bigint, p_then_charged_fen bigint, p_then_accrued numeric, p_now timestamptz
) returns boolean language plpgsql as $$
declare
    v_draw loans.draws;
begin
    update loans.draws d set state = 'paid', paid_at = p_paid_at, ask_at = null
    where d.member_id = p_member_id and d.draw_id = p_draw_id and d.state in ('reserved', 'sent')
    returning * into v_draw;
    if not found then
        return false;
    end if;
    perform lines.confirm(p_member_id, v_draw.product, v_draw.amount_fen);
    perform ledger.post(
        p_member_id, 'paid/' || p_draw_id, 'draw_paid', p_started_on, p_now,
        array['1301', '1303', '2202', '1002'], array[p_draw_id, p_draw_id, p_draw_id, md5(v_draw.product)::uuid],
        array[v_draw.amount_fen, -v_draw.amount_fen, v_draw.amount_fen, -v_draw.amount_fen]);
    insert into loans.loans (
        member_id, loan_id, product, rules, card_id, purpose, amount_fen, instalments, rate_e8, started_on,
        principal_fen, next_due_on, booked_through, change_on, accrual_slope, then_due_fen, then_charged_fen,
        then_accrued)
    values (
        p_member_id, p_draw_id, v_draw.product, v_draw.rules, v_draw.card_id, v_draw.purpose, v_draw.amount_fen,
        v_draw.instalments, v_draw.rate_e8, p_started_on,
        v_draw.amount_fen, p_first_due_on, p_started_on, p_first_due_on, v_draw.amount_fen::numeric * v_draw.rate_e8,
        p_then_due_fen, p_then_charged_fen, p_then_accrued);
    return true;
end $$;

-- The rail did not pay a draw: everything held for it is given back. Returns false where it was already decided.
create or replace function loans.fail_payout(
    p_member_id bigint, p_draw_id uuid, p_failed_at timestamptz, p_failed_on date, p_reason text
) returns boolean language plpgsql as $$
declare
    v_draw loans.draws;
begin
    update loans.draws d set state = 'failed', failed_at = p_failed_at, failure = p_reason, ask_at = null
    where d.member_id = p_member_id and d.draw_id = p_draw_id and d.state in ('reserved', 'sent')
    returning * into v_draw;
    if not found then
        return false;
    end if;
    perform lines.release(p_member_id, v_draw.product, v_draw.amount_fen);
    perform guard.uncount_draw(p_member_id, v_draw.product, v_draw.drawn_on, v_draw.amount_fen);
    perform ledger.post(
        p_member_id, 'failed/' || p_draw_id, 'draw_failed', p_failed_on, p_failed_at,
        array['1303', '2202'], array[p_draw_id, p_draw_id], array[-v_draw.amount_fen, v_draw.amount_fen]);
    return true;
end $$;
