-- A line's amounts move only here: available → reserved → used → available. The table's checks hold the sum.

-- Reserve an amount on an open line; null, or the refusal.
create or replace function lines.reserve(p_member_id bigint, p_product text, p_amount bigint)
returns text language plpgsql as $$
begin
    update lines.lines set reserved_fen = reserved_fen + p_amount
    where member_id = p_member_id and product = p_product and state = 'open' and available_fen >= p_amount;
    if found then
        return null;
    end if;
    return coalesce((
        select case when state = 'open' then 'line_exceeded' else 'line_not_open' end
        from lines.lines where member_id = p_member_id and product = p_product), 'no_line');
end $$;

-- Turn a reservation into use: the money is paid out.
create or replace function lines.confirm(p_member_id bigint, p_product text, p_amount bigint)
returns void language sql as $$
    update lines.lines set reserved_fen = reserved_fen - p_amount, used_fen = used_fen + p_amount
    where member_id = p_member_id and product = p_product
$$;

-- Give a reservation back: the money was not paid out.
create or replace function lines.release(p_member_id bigint, p_product text, p_amount bigint)
returns void language sql as $$
    update lines.lines set reserved_fen = reserved_fen - p_amount,
        overdrawn_fen = greatest(used_fen + reserved_fen - p_amount - limit_fen, 0)
    where member_id = p_member_id and product = p_product
$$;

-- Give use back: principal was repaid or written off. Below nought it is taken again, as when a repayment is reversed;
-- what that leaves above the limit is overdrawn.
create or replace function lines.restore(p_member_id bigint, p_product text, p_amount bigint)
returns void language sql as $$
    update lines.lines set used_fen = used_fen - p_amount,
        overdrawn_fen = greatest(used_fen - p_amount + reserved_fen - limit_fen, 0)
    where member_id = p_member_id and product = p_product
$$;
