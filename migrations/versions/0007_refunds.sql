-- Money held in suspense on its way back to the borrower. It is the loan's event `event_no` from the day it was asked for;
-- where the rail fails, the event is reversed.
create table loans.refunds (
    member_id       bigint      not null,
    refund_id       uuid        not null,
    loan_id         uuid        not null,
    card_id         uuid        not null,
    state           text        not null check (state in ('requested', 'sent', 'paid', 'failed')),
    amount_fen      bigint      not null check (amount_fen > 0),
    value_on        date        not null,
    idempotency_key text        not null,
    input_hash      bytea       not null,
    requested_at    timestamptz not null,
    paid_at         timestamptz,
    failure         text,
    ask_at          timestamptz,
    attempts        int         not null default 0,
    event_no        int         not null,
    primary key (member_id, refund_id),
    unique (member_id, idempotency_key),
    unique (member_id, loan_id, event_no),
    foreign key (member_id, loan_id, event_no) references loans.events,
    check ((ask_at is null) = (state in ('paid', 'failed'))),
    check ((paid_at is not null) = (state = 'paid')),
    check ((failure is not null) = (state = 'failed'))
);
create index refunds_to_ask on loans.refunds (ask_at) where ask_at is not null;

grant select, insert, update on loans.refunds to grainline_app;
