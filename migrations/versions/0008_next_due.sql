-- What the next due date brings to a loan that is paid up, if nothing happens before: computed whenever the loan is
-- touched, so that the night only has to let it happen. Null where that date brings more, and the fold has to say what.
alter table loans.loans
    add column then_due_fen     bigint check (then_due_fen > 0),
    add column then_charged_fen bigint check (then_charged_fen >= 0),
    add column then_accrued     numeric,
    add constraint then_whole check (num_nulls(then_due_fen, then_charged_fen, then_accrued) in (0, 3));

drop function if exists loans.confirm_payout(bigint, uuid, timestamptz, date, date, timestamptz);
