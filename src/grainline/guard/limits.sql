-- Count an amount against the day's draws, or refuse. The day is a business date in Shanghai, given by the caller.
create or replace function guard.count_draw(p_member_id bigint, p_product text, p_drawn_on date, p_amount bigint)
returns text language plpgsql as $$
declare
    v_limits guard.limits;
begin
    select * into strict v_limits from guard.limits where product = p_product;
    if p_amount < v_limits.draw_min_fen then
        return 'draw_below_minimum';
    elsif p_amount % v_limits.draw_step_fen <> 0 then
        return 'draw_not_a_multiple';
    elsif p_amount > v_limits.draw_max_fen then
        return 'draw_above_maximum';
    end if;
    insert into guard.day_draws as d (member_id, product, drawn_on, amount_fen, day_max_fen)
    values (p_member_id, p_product, p_drawn_on, p_amount, v_limits.day_max_fen)
    on conflict (member_id, product, drawn_on) do update set amount_fen = d.amount_fen + excluded.amount_fen
    where d.amount_fen + excluded.amount_fen <= d.day_max_fen;
    if not found then
        return 'day_limit_reached';
    end if;
    return null;
end $$;

-- Give a failed draw's amount back to the day it was drawn on.
create or replace function guard.uncount_draw(p_member_id bigint, p_product text, p_drawn_on date, p_amount bigint)
returns void language sql as $$
    update guard.day_draws set amount_fen = amount_fen - p_amount
    where member_id = p_member_id and product = p_product and drawn_on = p_drawn_on
$$;
