-- Documents that were handed out. The same facts, set by the same wording and the same renderer, give the same bytes for
-- good: the first rendering's hash is kept, and nothing here is ever changed.
create table loans.documents (
    member_id        bigint      not null,
    kind             text        not null check (kind in ('disclosure', 'contract', 'statement',
                                     'settlement_certificate')),
    subject          text        not null,
    language         text        not null check (language in ('zh', 'en')),
    template_version text        not null,
    renderer         text        not null,
    input_hash       bytea       not null check (length(input_hash) = 32),
    pdf_hash         bytea       not null check (length(pdf_hash) = 32),
    made_at          timestamptz not null,
    primary key (member_id, kind, subject, language, template_version, renderer, input_hash)
);
grant select, insert on loans.documents to grainline_app;
