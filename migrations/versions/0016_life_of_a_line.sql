-- What a line lives through. A line's limit is its own and what raises it for a time, together. What freezes it is a set:
-- it is open again when nothing is left in it, and `frozen_for` names the strongest.
alter table lines.lines drop constraint lines_frozen_for_check;
alter table lines.lines
    add column temporary_fen  bigint not null default 0,
    add column holds          text[] not null default '{}'
                              check (holds <@ array['overdue', 'operator', 'review', 'consent', 'member']),
    add column changes        int    not null default 0,
    add column next_review_on date,
    add column idle_look_on   date,
    add constraint lines_frozen_for_check
        check (frozen_for in ('overdue', 'operator', 'review', 'consent', 'member')),
    add constraint lines_own_limit check (temporary_fen >= 0 and temporary_fen < limit_fen);
create index lines_next_review on lines.lines (next_review_on) where state <> 'closed';
create index lines_idle_look on lines.lines (idle_look_on) where state <> 'closed';
create index lines_without_consent on lines.lines (member_id) where 'consent' = any (holds);

-- Every change of a line, only ever added: once under its key. `to_fen` is the whole limit after it.
create table lines.changes (
    member_id    bigint      not null,
    product      text        not null,
    change_no    int         not null check (change_no > 0),
    key          text        not null,
    kind         text        not null check (kind in ('opened', 'raised', 'lowered', 'repriced', 'temporary_raise',
                                 'returned', 'frozen', 'thawed', 'closed')),
    from_fen     bigint,
    to_fen       bigint      not null check (to_fen > 0),
    from_rate_e8 int,
    to_rate_e8   int         not null,
    from_tier    text,
    to_tier      text        not null,
    state        text        not null,
    frozen_for   text,
    until_on     date,
    reasons      jsonb       not null,
    decision_id  uuid,
    made_by      text        not null check (btrim(made_by) <> ''),
    made_at      timestamptz not null,
    primary key (member_id, product, change_no),
    unique (member_id, product, key),
    check ((from_fen is null) = (kind = 'opened'))
);

-- Raises with an end, each once under its code; until they are given back they are part of the limit.
create table lines.temporary_raises (
    member_id   bigint      not null,
    product     text        not null,
    code        text        not null,
    amount_fen  bigint      not null check (amount_fen > 0),
    from_on     date        not null,
    until_on    date        not null,
    begun_at    timestamptz not null,
    returned_at timestamptz,
    primary key (member_id, product, code),
    check (until_on > from_on)
);
create index temporary_raises_out on lines.temporary_raises (until_on) where returned_at is null;

-- That a line is to be looked at again, and why: once under its key, and one at most open of a cause.
create table lines.reviews (
    member_id   bigint      not null,
    product     text        not null,
    key         text        not null,
    cause       text        not null check (cause in ('six_months', 'on_time', 'bureau', 'idle', 'overdue', 'cured',
                                'consented', 'asked')),
    asked_at    timestamptz not null,
    try_at      timestamptz,
    attempts    int         not null default 0,
    done_at     timestamptz,
    result      text,
    decision_id uuid,
    primary key (member_id, product, key),
    check ((try_at is null) = (done_at is not null)),
    check ((result is null) = (done_at is null))
);
create index reviews_to_try on lines.reviews (try_at) where try_at is not null;
create unique index reviews_open on lines.reviews (member_id, product, cause) where done_at is null;

-- Days whose look for what is to be reviewed is over.
create table lines.looked_days (
    day       date        primary key,
    looked_at timestamptz not null
);

-- What was booked on loans lately, without an index that every booking would pay for.
create index events_booked on loans.events using brin (booked_at) with (autosummarize = on);

-- Lines that are there already begin their history here.
update lines.lines set
    holds = case when frozen_for is null then '{}' else array[frozen_for] end, changes = 1,
    next_review_on = ((opened_at at time zone 'Asia/Shanghai')::date + interval '6 months')::date,
    idle_look_on = (opened_at at time zone 'Asia/Shanghai')::date + 30;
insert into lines.changes (member_id, product, change_no, key, kind, to_fen, to_rate_e8, to_tier, state, frozen_for,
    reasons, made_by, made_at)
select member_id, product, 1, 'opened', 'opened', limit_fen, rate_e8, tier, state, frozen_for, reasons, 'platform',
    opened_at
from lines.lines;

grant select, insert on lines.changes, lines.looked_days to grainline_app;
grant select, insert, update on lines.temporary_raises, lines.reviews to grainline_app;
