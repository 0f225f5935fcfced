-- The tables of the first whole path: one schema per room.
-- Every member-owned table has member_id first in its primary key and in every unique key, so that it can be
-- distributed by member. What maps the outside world to a member (a directory) names the member `holder`.
-- Each room's functions live in its own .sql files and are applied after every migration.

create schema kit;
create schema members;
create schema ledger;
create schema guard;
create schema lines;
create schema loans;
create schema invitation;

-- kit ------------------------------------------------------------------------------------------------------------

create table kit.outbox (
    member_id   bigint      not null,
    message_id  bigint      generated always as identity,
    topic       text        not null,
    payload     jsonb       not null,
    sealed      bytea,
    created_at  timestamptz not null,
    try_at      timestamptz not null,
    attempts    int         not null default 0,
    handled_at  timestamptz,
    primary key (member_id, message_id)
);
create index outbox_due on kit.outbox (try_at) where handled_at is null;

-- members --------------------------------------------------------------------------------------------------------

create sequence members.member_ids;

create table members.members (
    member_id          bigint      primary key,
    wrapped_key        bytea       not null,
    phone_sealed       bytea       not null,
    name_sealed        bytea,
    national_id_sealed bytea,
    verified_at        timestamptz,
    created_at         timestamptz not null,
    check ((verified_at is null) = (name_sealed is null)),
    check ((verified_at is null) = (national_id_sealed is null))
);

create table members.directory (
    kind   text   not null check (kind in ('phone', 'national_id')),
    handle bytea  not null,
    holder bigint not null,
    primary key (kind, handle)
);

create table members.one_time_codes (
    member_id  bigint      not null,
    purpose    text        not null check (purpose in ('sign_in', 'sign_contract')),
    subject    text        not null,
    code_hash  bytea       not null,
    sent_at    timestamptz not null,
    expires_at timestamptz not null,
    tries_left smallint    not null check (tries_left >= 0),
    used_at    timestamptz,
    sent_on    date        not null,
    sent_count smallint    not null,
    primary key (member_id, purpose)
);

create table members.sessions (
    member_id  bigint      not null,
    token_hash bytea       not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    revoked_at timestamptz,
    primary key (member_id, token_hash)
);

create table members.card_checks (
    member_id     bigint      primary key,
    checked_on    date        not null,
    checks_today  smallint    not null,
    wrong_in_row  smallint    not null,
    locked_until  timestamptz
);

create table members.cards (
    member_id        bigint      not null,
    card_id          uuid        not null,
    agreement_sealed bytea       not null,
    bank             text        not null,
    last4            text        not null check (last4 ~ '^\d{4}$'),
    fingerprint      bytea       not null,
    usual            boolean     not null,
    added_at         timestamptz not null,
    primary key (member_id, card_id),
    unique (member_id, fingerprint)
);
create unique index cards_one_usual on members.cards (member_id) where usual;

-- ledger ---------------------------------------------------------------------------------------------------------

create table ledger.accounts (
    code    text primary key check (code ~ '^\d{4}$'),
    name_zh text not null,
    name_en text not null,
    kind    text not null check (kind in ('asset', 'liability', 'equity', 'income', 'expense')),
    holder  text not null check (holder in ('member', 'house'))
);

create table ledger.journals (
    member_id       bigint      not null,
    journal_no      bigint      generated always as identity,
    idempotency_key text        not null,
    input_hash      bytea       not null,
    kind            text        not null,
    value_on        date        not null,
    booked_at       timestamptz not null,
    primary key (member_id, journal_no),
    unique (member_id, idempotency_key)
);

-- Amounts are signed fen, debits positive. A house entry has no balance after it: house accounts are only ever
-- appended to and are rolled up, so that no two postings wait for one row.
create table ledger.entries (
    member_id         bigint not null,
    journal_no        bigint not null,
    account           text   not null,
    sub               uuid   not null,
    amount_fen        bigint not null check (amount_fen <> 0),
    balance_after_fen bigint,
    entry_no          bigint generated always as identity,
    primary key (member_id, journal_no, account, sub),
    -- no asset of a member is ever negative, no liability ever positive
    check (case left(account, 1) when '1' then balance_after_fen >= 0 when '2' then balance_after_fen <= 0 else true end)
);
create index entries_in_order on ledger.entries using brin (entry_no) with (pages_per_range = 16, autosummarize = on);

create table ledger.balances (
    member_id   bigint not null,
    account     text   not null,
    sub         uuid   not null,
    balance_fen bigint not null,
    primary key (member_id, account, sub)
) with (fillfactor = 80);

create table ledger.house_balances (
    account       text   primary key references ledger.accounts,
    balance_fen   bigint not null,
    through_entry bigint not null
);

-- guard ----------------------------------------------------------------------------------------------------------

create table guard.limits (
    product      text   primary key,
    draw_min_fen bigint not null,
    draw_step_fen bigint not null check (draw_step_fen > 0),
    draw_max_fen bigint not null,
    day_max_fen  bigint not null
);

create table guard.day_draws (
    member_id   bigint not null,
    product     text   not null,
    drawn_on    date   not null,
    amount_fen  bigint not null check (amount_fen >= 0),
    day_max_fen bigint not null,
    primary key (member_id, product, drawn_on),
    check (amount_fen <= day_max_fen)
);

-- lines ----------------------------------------------------------------------------------------------------------

create table lines.lines (
    member_id     bigint      not null,
    product       text        not null,
    state         text        not null check (state in ('open', 'frozen', 'closed')),
    tier          text        not null,
    limit_fen     bigint      not null check (limit_fen > 0),
    reserved_fen  bigint      not null default 0 check (reserved_fen >= 0),
    used_fen      bigint      not null default 0 check (used_fen >= 0),
    available_fen bigint      generated always as (limit_fen - reserved_fen - used_fen) stored
                              check (available_fen >= 0),
    rate_e8       int         not null check (rate_e8 > 0),
    reasons       jsonb       not null,
    opened_at     timestamptz not null,
    primary key (member_id, product)
) with (fillfactor = 80);

-- loans ----------------------------------------------------------------------------------------------------------

create table loans.disclosures (
    member_id     bigint      not null,
    disclosure_id uuid        not null,
    product       text        not null,
    amount_fen    bigint      not null,
    instalments   smallint    not null,
    rate_e8       int         not null,
    purpose       text        not null,
    card_id       uuid        not null,
    starts_on     date        not null,
    content       jsonb       not null,
    content_hash  bytea       not null,
    shown_at      timestamptz not null,
    may_sign_at   timestamptz not null,
    expires_at    timestamptz not null,
    primary key (member_id, disclosure_id)
);

create table loans.contracts (
    member_id     bigint      not null,
    contract_id   uuid        not null,
    disclosure_id uuid        not null,
    content       text        not null,
    content_hash  bytea       not null,
    made_at       timestamptz not null,
    signed_at     timestamptz,
    primary key (member_id, contract_id),
    foreign key (member_id, disclosure_id) references loans.disclosures
);

create table loans.draws (
    member_id       bigint      not null,
    draw_id         uuid        not null,
    product         text        not null,
    contract_id     uuid        not null,
    card_id         uuid        not null,
    amount_fen      bigint      not null check (amount_fen > 0),
    instalments     smallint    not null,
    rate_e8         int         not null,
    purpose         text        not null,
    state           text        not null check (state in ('reserved', 'sent', 'paid', 'failed')),
    idempotency_key text        not null,
    input_hash      bytea       not null,
    drawn_on        date        not null,
    signed_at       timestamptz not null,
    sent_at         timestamptz,
    paid_at         timestamptz,
    failed_at       timestamptz,
    failure         text,
    expected_by     timestamptz not null,
    ask_at          timestamptz,
    attempts        int         not null default 0,
    primary key (member_id, draw_id),
    unique (member_id, idempotency_key),
    unique (member_id, contract_id),
    check ((ask_at is null) = (state in ('paid', 'failed')))
) with (fillfactor = 80);
create index draws_to_ask on loans.draws (ask_at) where ask_at is not null;

create table loans.loans (
    member_id       bigint   not null,
    loan_id         uuid     not null,
    product         text     not null,
    card_id         uuid     not null,
    purpose         text     not null,
    amount_fen      bigint   not null check (amount_fen > 0),
    instalments     smallint not null check (instalments > 0),
    rate_e8         int      not null check (rate_e8 > 0),
    started_on      date     not null,
    -- a projection of the fold, rebuildable: what the day's work looks for
    principal_fen   bigint   not null check (principal_fen >= 0),
    next_due_on     date,
    booked_through  date     not null,
    next_charge_on  date,
    settled_on      date,
    primary key (member_id, loan_id)
);
create index loans_due on loans.loans (next_due_on) where next_due_on is not null;
create index loans_to_charge on loans.loans (next_charge_on) where next_charge_on is not null;

create table loans.repayments (
    member_id       bigint      not null,
    repayment_id    uuid        not null,
    loan_id         uuid        not null,
    kind            text        not null check (kind in ('by_hand', 'automatic')),
    state           text        not null check (state in ('requested', 'sent', 'collected', 'failed')),
    amount_fen      bigint      not null check (amount_fen > 0),
    value_on        date        not null,
    idempotency_key text        not null,
    input_hash      bytea       not null,
    requested_at    timestamptz not null,
    collected_at    timestamptz,
    failure         text,
    ask_at          timestamptz,
    attempts        int         not null default 0,
    event_no        int,
    primary key (member_id, repayment_id),
    unique (member_id, idempotency_key),
    foreign key (member_id, loan_id) references loans.loans,
    check ((ask_at is null) = (state in ('collected', 'failed'))),
    check ((event_no is null) = (state <> 'collected'))
);
create index repayments_to_ask on loans.repayments (ask_at) where ask_at is not null;
create index repayments_of_loan on loans.repayments (member_id, loan_id);

-- Every answer the rail gave, so that a contradiction can be shown and not only believed away.
create table loans.rail_answers (
    member_id   bigint      not null,
    transfer_id uuid        not null,
    answer_no   bigint      generated always as identity,
    kind        text        not null check (kind in ('payout', 'collection')),
    status      text        not null,
    reason      text,
    heard_at    timestamptz not null,
    primary key (member_id, transfer_id, answer_no)
);

-- invitation -----------------------------------------------------------------------------------------------------

create table invitation.evaluations (
    member_id    bigint      not null,
    product      text        not null,
    month        date        not null check (extract(day from month) = 1),
    pd_e6        int         not null check (pd_e6 between 0 and 1000000),
    invited      boolean     not null,
    tier         text,
    line_fen     bigint,
    rate_e8      int,
    reasons      text[]      not null,
    model        text        not null,
    evaluated_at timestamptz not null,
    expires_on   date,
    primary key (member_id, product, month),
    check (invited = (tier is not null and line_fen is not null and rate_e8 is not null and expires_on is not null))
);

-- privileges -----------------------------------------------------------------------------------------------------
-- The application's role reads the ledger and posts through ledger.post alone: it has no right to insert, change or
-- delete an entry. Elsewhere it may not delete, and what was shown, signed or answered it may not change.

grant usage on schema kit, members, ledger, guard, lines, loans, invitation to grainline_app;
grant select on all tables in schema kit, members, ledger, guard, lines, loans, invitation to grainline_app;
grant usage on sequence members.member_ids to grainline_app;
grant insert, update on all tables in schema kit, members, lines, invitation to grainline_app;
grant insert, update on guard.day_draws, loans.draws, loans.loans, loans.repayments to grainline_app;
grant insert on loans.disclosures, loans.contracts, loans.rail_answers to grainline_app;
grant update (signed_at) on loans.contracts to grainline_app;
