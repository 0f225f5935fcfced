-- Decisions as they were taken. `inputs` and `outcome` are canonical JSON; what they name by a hash is kept as it was:
-- models in scoring.models, rules in underwriting.rule_versions, packs here. Rows are only added.
create table underwriting.packs (
    sha256   bytea primary key check (sha256 = sha256(convert_to(content, 'UTF8'))),
    content  text  not null
);

create table underwriting.decisions (
    member_id    bigint      not null,
    decision_id  uuid        not null,
    product      text        not null,
    occasion     text        not null check (occasion in ('application', 'review', 'human')),
    key          text        not null,
    inputs       text        not null,
    inputs_hash  bytea       not null check (inputs_hash = sha256(convert_to(inputs, 'UTF8'))),
    outcome      text        not null,
    outcome_hash bytea       not null check (outcome_hash = sha256(convert_to(outcome, 'UTF8'))),
    result       text        not null check (result in ('approved', 'declined', 'review')),
    overrides    uuid,
    decided_by   text,
    decided_at   timestamptz not null,
    latency_us   int         not null check (latency_us >= 0),
    primary key (member_id, decision_id),
    unique (member_id, key),
    check ((occasion = 'human') = (decided_by is not null)),
    check ((occasion = 'human') = (overrides is not null))
);
create index decisions_by_id on underwriting.decisions (decision_id);
create index decisions_since on underwriting.decisions (decided_at);
create index decisions_of_product on underwriting.decisions (member_id, product, decided_at);

-- That a person is to look: asked for by a rule or by the member, answered once. One is open at most.
create table underwriting.reviews (
    member_id   bigint      not null,
    review_id   uuid        not null,
    product     text        not null,
    decision_id uuid        not null,
    asked_by    text        not null check (asked_by in ('rule', 'member')),
    words       text        not null default '' check (length(words) <= 1000),
    asked_at    timestamptz not null,
    answer_by   date        not null,
    answered_at timestamptz,
    answered_by text,
    answer      uuid,
    primary key (member_id, review_id),
    check ((answered_at is null) = (answered_by is null)),
    check ((answered_at is null) = (answer is null))
);
create unique index reviews_open on underwriting.reviews (member_id, product) where answered_at is null;
create index reviews_queue on underwriting.reviews (asked_at) where answered_at is null;

grant select, insert on underwriting.packs, underwriting.decisions to grainline_app;
grant select, insert, update on underwriting.reviews to grainline_app;
