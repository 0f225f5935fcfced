-- Whether a session is there, not ended and not expired.
create or replace function members.session_lives(p_member_id bigint, p_token_hash bytea, p_now timestamptz)
returns boolean language sql stable as $$
    select exists (
        select 1 from members.sessions
        where member_id = p_member_id and token_hash = p_token_hash and revoked_at is null and expires_at > p_now)
$$;
