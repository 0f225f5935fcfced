-- A journal is found by its member and key; its number, drawn from a sequence, only ties the entries to it. An index of
-- its own for the number is one more to write for every journal, and nothing looks a journal up by it.

alter table ledger.journals
    drop constraint journals_pkey,
    drop constraint journals_member_id_idempotency_key_key,
    add primary key (member_id, idempotency_key);
