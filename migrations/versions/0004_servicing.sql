-- A loan is computed by the rules it was made under, for its whole life: they are kept by name, written by `migrate`
-- from the packs, and never changed.
create table loans.rule_sets (
    name    text  primary key,
    content jsonb not null
);

alter table loans.disclosures add column rules text not null default 'weilidai/2026-11-01/equal_principal';
alter table loans.draws add column rules text not null default 'weilidai/2026-11-01/equal_principal';
alter table loans.loans add column rules text not null default 'weilidai/2026-11-01/equal_principal';
alter table loans.disclosures alter column rules drop default;
-- what was promised with it: how soon the money is there
alter table loans.disclosures add column funded_within interval not null default '5 minutes';
alter table loans.disclosures alter column funded_within drop default;
drop function if exists loans.draw(
    bigint, bytea, uuid, text, bytea, uuid, bytea, bytea, timestamptz, date, interval);
alter table loans.draws alter column rules drop default;
alter table loans.loans alter column rules drop default;

-- What happened to a loan since it was paid out. Only ever inserted: a mistake is reversed by another event.
create table loans.events (
    member_id       bigint      not null,
    loan_id         uuid        not null,
    event_no        int         not null check (event_no > 0),
    kind            text        not null check (kind in ('reschedule', 'fee', 'discount', 'coupon', 'waiver',
                                    'repayment', 'refund', 'charge_off', 'write_off', 'reversal')),
    value_on        date        not null,
    booked_at       timestamptz not null,
    amount_fen      bigint      not null default 0 check (amount_fen >= 0),
    component       text        check (component in ('fee', 'penalty', 'interest', 'principal')),
    share_e4        int         not null default 0 check (share_e4 between 0 and 10000),
    until_on        date,
    instalments     smallint    not null default 0 check (instalments >= 0),
    reverses        int,
    prepayment      text,
    made_by         text        not null,
    reason          text        not null default '',
    idempotency_key text        not null,
    input_hash      bytea       not null,
    primary key (member_id, loan_id, event_no),
    unique (member_id, idempotency_key),
    unique (member_id, loan_id, reverses),
    foreign key (member_id, loan_id) references loans.loans,
    check ((kind = 'reversal') = (reverses is not null)),
    check ((amount_fen > 0) = (kind in ('fee', 'coupon', 'waiver', 'repayment', 'refund')))
);

insert into loans.events (member_id, loan_id, event_no, kind, value_on, booked_at, amount_fen, made_by,
    idempotency_key, input_hash)
select member_id, loan_id, event_no, 'repayment', value_on, collected_at, amount_fen, 'rail',
    'repaid/' || repayment_id, ''
from loans.repayments where state = 'collected';

-- A projection of the fold at `booked_through`, rebuildable: what the day's work looks for, and what accrues.
-- Accrued amounts are in units of balance × rate × weight, penalties in 10⁻⁴ of those; a slope is what a day adds.
alter table loans.loans
    add column due_fen         bigint not null default 0,
    add column change_on       date,
    add column late_since      date,
    add column accrued         numeric not null default 0,
    add column accrual_slope   numeric not null default 0,
    add column penalty         numeric not null default 0,
    add column penalty_slope   numeric not null default 0,
    add column charged_off_on  date,
    add column written_off_on  date;
update loans.loans set change_on = next_charge_on, accrual_slope = principal_fen * rate_e8;
drop index loans.loans_to_charge;
alter table loans.loans drop column next_charge_on;
create index loans_to_change on loans.loans (change_on) where change_on is not null;
create index loans_late on loans.loans (member_id, product) where late_since is not null;

-- How a loan was classified, and from when.
create table loans.classifications (
    member_id bigint   not null,
    loan_id   uuid     not null,
    from_on   date     not null,
    bucket    text     not null,
    category  text     not null,
    stage     smallint not null,
    primary key (member_id, loan_id, from_on)
);

-- A product's day, closed: all its loans are in the books to its end, and so is what accrued on them, in fen.
create table loans.closed_days (
    product     text        not null,
    day         date        not null,
    accrued_fen bigint      not null,
    penalty_fen bigint      not null,
    loans       bigint      not null,
    closed_at   timestamptz not null,
    primary key (product, day)
);

-- What a reversed repayment or a fee leaves above the limit; no draw passes while there is any.
alter table lines.lines drop constraint if exists lines_available_fen_check;
alter table lines.lines
    add column overdrawn_fen bigint not null default 0 check (overdrawn_fen >= 0),
    add column frozen_for    text   check (frozen_for in ('overdue', 'operator')),
    add constraint lines_within_limit check (available_fen + overdrawn_fen >= 0);

-- House entries are held by account and by product.
alter table ledger.accounts drop constraint accounts_kind_check;
alter table ledger.accounts add constraint accounts_kind_check
    check (kind in ('asset', 'liability', 'equity', 'income', 'expense', 'memo'));

drop function if exists ledger.house_balance(text);
drop table ledger.house_balances;
create table ledger.house_balances (
    account     text   not null references ledger.accounts,
    sub         uuid   not null,
    balance_fen bigint not null,
    primary key (account, sub)
);
create table ledger.rolled_up (
    only_row      boolean primary key default true check (only_row),
    through_entry bigint  not null
);
insert into ledger.rolled_up (through_entry) values (0);

-- Accounting periods that are closed: nothing more is booked in them.
create table ledger.closed_periods (
    ends_on   date        primary key,
    closed_at timestamptz not null,
    closed_by text        not null
);
grant select on ledger.house_balances, ledger.rolled_up, ledger.closed_periods to grainline_app;

grant select on loans.rule_sets, loans.events, loans.classifications, loans.closed_days to grainline_app;
grant insert on loans.events, loans.closed_days to grainline_app;
grant insert, update on loans.classifications to grainline_app;
