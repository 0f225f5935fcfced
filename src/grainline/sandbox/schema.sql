-- The sandbox's whole state, in one SQLite file. Instants are microseconds since 1970 UTC, money is fen.
create table if not exists resident (
    number integer primary key,
    phone text not null unique,
    name text not null,
    national_id text not null unique,
    born_on text not null,
    bank text not null
) strict;

create table if not exists card (
    card_number text primary key,
    resident_number integer not null references resident (number),
    agreement text not null unique,
    closed integer not null default 0 check (closed in (0, 1)),
    signed_at integer
) strict;
create index if not exists card_of_resident on card (resident_number);

create table if not exists account (
    name text primary key,
    balance_fen integer not null check (balance_fen >= 0 or name = 'outside'),
    frozen integer not null default 0 check (frozen in (0, 1))
) strict;

create table if not exists move (
    move_id integer primary key,
    source text not null,
    target text not null check (target <> source),
    amount_fen integer not null check (amount_fen > 0),
    memo text not null,
    moved_at integer not null
) strict;

create table if not exists rail_order (
    direction text not null check (direction in ('payout', 'collection')),
    key text not null,
    agreement text not null,
    amount_fen integer not null check (amount_fen > 0),
    status text not null check (status in ('processing', 'succeeded', 'failed')),
    placed_at integer not null,
    settles_at integer not null,
    reason text,
    settled_at integer,
    asks_left integer,
    primary key (direction, key),
    check ((status = 'failed') = (reason is not null)),
    check ((status = 'succeeded') = (settled_at is not null))
) strict;
create index if not exists rail_order_processing on rail_order (settles_at) where status = 'processing';
create index if not exists rail_order_agreement on rail_order (agreement, placed_at);

create table if not exists callback (
    callback_id integer primary key,
    body text not null,
    try_at integer not null,
    attempts integer not null default 0,
    state text not null default 'waiting' check (state in ('waiting', 'delivered', 'given_up'))
) strict;
create index if not exists callback_waiting on callback (try_at) where state = 'waiting';

create table if not exists message (
    message_id integer primary key,
    key text not null unique,
    phone text not null,
    text text not null,
    received_at integer not null
) strict;
create index if not exists message_of_phone on message (phone, message_id);

create table if not exists fault (
    partner text not null,
    name text not null,
    mode text not null,
    probability real not null,
    count integer not null,
    asks integer,
    reason text not null,
    delay_s integer not null,
    draws integer not null,
    primary key (partner, name)
) strict;

create table if not exists credit_record (
    resident_number integer primary key references resident (number),
    card text not null,
    open_loans integer not null check (open_loans >= 0),
    owed_elsewhere_fen integer not null check (owed_elsewhere_fen >= 0),
    overdue_days integer not null check (overdue_days >= 0)
) strict;

create table if not exists credit_inquiry (
    inquiry_id integer primary key,
    resident_number integer not null references resident (number),
    subject text not null,
    consent text not null,
    asked_at integer not null
) strict;
create index if not exists credit_inquiry_of on credit_inquiry (resident_number, subject);

create table if not exists credit_change (
    change_id integer primary key autoincrement,
    resident_number integer not null references resident (number)
) strict;
