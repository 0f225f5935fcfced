-- What a borrower's device says of itself: a summary it made and sealed to the lender, opened and sealed again under the
-- member's key. The id is the device's; it is there once, so what is sent again is refused.
create table guard.environments (
    member_id    bigint      not null,
    summary_id   uuid        not null,
    made_at      timestamptz not null,
    received_at  timestamptz not null,
    consent      text        not null,    -- which consent it came under: source, version of its text, when it was given
    consent_at   timestamptz not null check (consent_at <= received_at),
    forget_on    date        not null,
    summary_sealed bytea    not null,
    primary key (member_id, summary_id)
);
create index environments_forget on guard.environments (forget_on);
create index environments_newest on guard.environments (member_id, received_at);

grant select, insert, delete on guard.environments to grainline_app;
