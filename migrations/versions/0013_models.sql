-- The registry of models, who is scored by which, and what is watched of them. Nothing here is changed or deleted by
-- the app, except that a month's figures may be worked out again.
create schema scoring;
grant usage on schema scoring to grainline_app;

create table scoring.models (
    sha256        bytea       primary key check (length(sha256) = 32),
    kind          text        not null check (kind in ('scorecard', 'boosted', 'federated')),
    name          text        not null,
    content       bytea       not null,
    signer        bytea       not null check (length(signer) = 32),
    signature     bytea       not null check (length(signature) = 64),
    facts         jsonb       not null,
    registered_at timestamptz not null,
    registered_by text        not null
);

-- One row is one change. The newest that has begun holds: of the champion and of the challenger by product, of a
-- shadow by product and model. `begins_at` is never before `set_at`, so that what held at a moment is settled once
-- the moment has passed.
create table scoring.roles (
    change_id bigint      generated always as identity primary key,
    product   text        not null,
    role      text        not null check (role in ('champion', 'challenger', 'shadow')),
    sha256    bytea       not null references scoring.models (sha256),
    begins_at timestamptz not null,
    share_e4  int         not null check (share_e4 between 0 and 10000),
    is_on     boolean     not null,
    set_at    timestamptz not null,
    set_by    text        not null,
    check (begins_at >= set_at),
    check (role = 'challenger' or share_e4 = 0),
    check (role <> 'challenger' or is_on = (share_e4 > 0)),
    check (role <> 'champion' or is_on)
);
create index roles_of_product on scoring.roles (product, begins_at);

-- How far a month's people have moved from the reference, by feature and score; null where too few to tell.
create table scoring.monitoring (
    month          date        not null check (extract(day from month) = 1),
    product        text        not null,
    sha256         bytea       not null references scoring.models (sha256),
    kind           text        not null check (kind in ('feature', 'score')),
    name           text        not null,
    psi_e6         bigint      check (psi_e6 >= 0),
    chance_e6      bigint      check (chance_e6 >= 0),
    rows_reference int         not null check (rows_reference >= 0),
    rows_current   int         not null check (rows_current >= 0),
    level          text        not null check (level in ('too_few', 'stable', 'watch', 'alarm')),
    computed_at    timestamptz not null,
    primary key (month, product, sha256, kind, name)
);

-- What came of those decided in a month (the vintage), as known in a later one; null where too few to tell.
create table scoring.vintages (
    month         date        not null check (extract(day from month) = 1),
    product       text        not null,
    sha256        bytea       not null references scoring.models (sha256),
    vintage       date        not null check (extract(day from vintage) = 1 and vintage <= month),
    decided       int         not null,
    known         int         not null check (known between 0 and decided),
    bad           int         not null check (bad between 0 and known),
    auc_e6        int         check (auc_e6 between 0 and 1000000),
    ks_e6         int         check (ks_e6 between 0 and 1000000),
    predicted_e6  int,
    observed_e6   int,
    low_e6        int,
    high_e6       int,
    level         text        not null check (level in ('too_few', 'ripening', 'stable', 'watch', 'alarm')),
    computed_at   timestamptz not null,
    primary key (month, product, sha256, vintage)
);

grant select, insert on scoring.models, scoring.roles to grainline_app;
grant select, insert, update on scoring.monitoring, scoring.vintages to grainline_app;
