-- Look at a one-time code without spending it: null when it is right, the refusal otherwise. A wrong try is counted;
-- the caller must commit it. The row stays locked until the transaction ends, so a right code is good once.
create or replace function members.try_code(
    p_member_id bigint, p_purpose text, p_subject text, p_code_hash bytea, p_now timestamptz
) returns text language plpgsql as $$
declare
    v_code members.one_time_codes;
begin
    select * into v_code from members.one_time_codes
    where member_id = p_member_id and purpose = p_purpose for update;
    if not found or v_code.subject <> p_subject then
        return 'code_not_requested';
    elsif v_code.used_at is not null then
        return 'code_used';
    elsif v_code.tries_left = 0 then
        return 'code_locked';
    elsif v_code.expires_at <= p_now then
        return 'code_expired';
    elsif v_code.code_hash <> p_code_hash then
        update members.one_time_codes set tries_left = tries_left - 1
        where member_id = p_member_id and purpose = p_purpose;
        return case when v_code.tries_left = 1 then 'code_locked' else 'code_wrong' end;
    end if;
    return null;
end $$;

create or replace function members.spend_code(p_member_id bigint, p_purpose text, p_now timestamptz)
returns void language sql as $$
    update members.one_time_codes set used_at = p_now where member_id = p_member_id and purpose = p_purpose
$$;
