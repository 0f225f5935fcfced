-- The amount the rail named in an answer, in fen: another one than was ordered is never booked, and verify lists it.
-- Answers heard before have none, so only new ones are checked.

alter table loans.rail_answers add column amount_fen bigint check (amount_fen > 0);
alter table loans.rail_answers add constraint rail_answers_amount
    check ((amount_fen is null) = (status in ('not_found', 'key_conflict'))) not valid;
