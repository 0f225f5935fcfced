-- Consents by source (A6): each its own purpose, retention and switch. One stands per member and source at most.
create table members.consents (
    member_id      bigint      not null,
    source         text        not null check (source in ('bureau', 'payment', 'social', 'device')),
    given_at       timestamptz not null,
    text_version   text        not null,
    retention_days int         not null check (retention_days > 0),
    withdrawn_at   timestamptz check (withdrawn_at >= given_at),
    primary key (member_id, source, given_at)
);
create unique index consents_standing on members.consents (member_id, source) where withdrawn_at is null;

-- What a source said of a member, as it was said; `content` is canonical JSON, and the hash is of it.
create table underwriting.snapshots (
    member_id    bigint      not null,
    source       text        not null check (source in ('bureau', 'payment', 'social', 'device')),
    taken_at     timestamptz not null,
    as_of        timestamptz not null,
    content      text        not null,
    content_hash bytea       not null check (length(content_hash) = 32),
    consent      text        not null,
    forget_on    date        not null,
    primary key (member_id, source, taken_at, content_hash)
);
create index snapshots_forget on underwriting.snapshots (forget_on);

-- How far the bureau's list of changes has been read.
create table underwriting.bureau_cursor (
    one_row bool   primary key default true check (one_row),
    cursor  bigint not null
);

grant select, insert, update on members.consents to grainline_app;
grant select, insert, delete on underwriting.snapshots to grainline_app;
grant select, insert, update on underwriting.bureau_cursor to grainline_app;
