-- The number of the last journal when a period was closed: none after it may count from the period.
alter table ledger.closed_periods add column through_journal bigint not null default 0;
alter table ledger.closed_periods alter column through_journal drop default;
