-- Versions of the rules by which a product decides. Each table is only ever added to: the application's role may neither
-- change nor delete a row, so that a version that was released stays what it was.
create schema underwriting;
grant usage on schema underwriting to grainline_app;

create table underwriting.rule_versions (
    product        text        not null,
    version        text        not null,
    effective_from date        not null,
    sha256         bytea       not null,
    body           bytea       not null check (sha256 = sha256(body)),
    maker          text        not null check (btrim(maker) <> ''),
    note           text        not null check (btrim(note) <> ''),
    proposed_at    timestamptz not null,
    primary key (product, version),
    unique (product, sha256),
    unique (product, version, effective_from, maker)
);

-- What a version would have done to people whose outcome is known, beside the version then in force.
create table underwriting.rule_backtests (
    product     text        not null,
    version     text        not null,
    backtest_no bigint      generated always as identity,
    against     text        not null,
    result      jsonb       not null,
    run_by      text        not null check (btrim(run_by) <> ''),
    run_at      timestamptz not null,
    primary key (product, version, backtest_no),
    foreign key (product, version) references underwriting.rule_versions,
    foreign key (product, against) references underwriting.rule_versions
);

-- Who released a version never made it. The maker and the date are the version's, by the foreign key.
create table underwriting.rule_releases (
    product        text        not null,
    version        text        not null,
    effective_from date        not null,
    maker          text        not null,
    checker        text        not null check (btrim(checker) <> ''),
    released_at    timestamptz not null,
    primary key (product, version),
    unique (product, effective_from),
    foreign key (product, version, effective_from, maker)
        references underwriting.rule_versions (product, version, effective_from, maker),
    constraint maker_is_not_checker check (lower(btrim(maker)) <> lower(btrim(checker)))
);

grant select, insert on underwriting.rule_versions, underwriting.rule_backtests, underwriting.rule_releases
    to grainline_app;
