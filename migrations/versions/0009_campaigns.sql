-- The campaign a disclosure promised, as the pack said it then, and with the draw that was made on it: what a pack says
-- later changes neither.
alter table loans.disclosures add column campaign jsonb;
alter table loans.draws add column campaign jsonb;
