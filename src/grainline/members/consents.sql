-- Whether a consent, named by when it was given, stands.
create or replace function members.consent_stands(p_member_id bigint, p_source text, p_given_at timestamptz)
returns boolean language sql stable as $$
    select exists (
        select from members.consents
        where member_id = p_member_id and source = p_source and given_at = p_given_at and withdrawn_at is null
    )
$$;

-- The same, and hold it until the transaction ends: it is not withdrawn meanwhile.
create or replace function members.hold_consent(p_member_id bigint, p_source text, p_given_at timestamptz)
returns boolean language plpgsql as $$
begin
    perform from members.consents
    where member_id = p_member_id and source = p_source and given_at = p_given_at and withdrawn_at is null
    for update;
    return found;
end $$;
