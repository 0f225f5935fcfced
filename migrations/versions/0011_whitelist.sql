-- The monthly whitelist: one refresh a month, and what it found of each member. Points are 10⁻², the arrays in the order
-- of the policy's items; -1 in `points_e2` is not scored.
create table invitation.refreshes (
    month       date        primary key check (extract(day from month) = 1),
    policy      text        not null,
    capacity    int         check (capacity >= 0),
    as_of       timestamptz not null,
    started_at  timestamptz not null,
    finished_at timestamptz
);

create table invitation.outcomes (
    member_id      bigint      not null,
    month          date        not null,
    policy         text        not null,
    way            text        check (way in ('directed', 'delayed')),
    invited        boolean,    -- null until the month's capacity is shared out
    total_e2       int         not null check (total_e2 between 0 and 10000),
    social_e2      int         check (social_e2 between 0 and 10000),
    consumption_e2 int         not null check (consumption_e2 between 0 and 10000),
    assets_e2      int         not null check (assets_e2 between 0 and 10000),
    credit_e2      int         not null check (credit_e2 between 0 and 10000),
    supplement_e2  int         not null check (supplement_e2 between 0 and 10000),
    points_e2      int[]       not null,
    feature_values jsonb       not null,
    features_hash  bytea       not null,
    reasons        text[]      not null,
    expires_on     date,
    judged_at      timestamptz not null,
    primary key (member_id, month),
    check (invited is not true or way is not null),
    check (invited is not true or expires_on is not null)
);

-- What a member says of themselves and an officer has accepted or not (A4).
create table invitation.supplements (
    member_id        bigint      not null,
    kind             text        not null check (kind in ('occupation', 'education', 'property', 'income')),
    state            text        not null check (state in ('submitted', 'accepted', 'refused')),
    statement_sealed bytea       not null,
    submitted_at     timestamptz not null,
    answer_by        date        not null,
    decided_at       timestamptz,
    decided_by       text,
    reason           text        not null default '',
    primary key (member_id, kind),
    check ((decided_at is null) = (state = 'submitted')),
    check ((decided_by is null) = (state = 'submitted'))
);

grant select, insert, update on invitation.refreshes, invitation.outcomes, invitation.supplements to grainline_app;
