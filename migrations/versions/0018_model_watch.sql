-- Of whom a month's figures are: of a file that somebody gave, of those who applied, or of lines that were reviewed.
alter table scoring.monitoring
    add column population text not null default 'given' check (population in ('given', 'application', 'review')),
    drop constraint monitoring_pkey,
    add primary key (month, product, sha256, population, kind, name);
alter table scoring.vintages
    add column population text not null default 'given' check (population in ('given', 'application', 'review')),
    drop constraint vintages_pkey,
    add primary key (month, product, sha256, population, vintage);
alter table scoring.monitoring alter column population drop default;
alter table scoring.vintages alter column population drop default;

-- What a model's months are held against: the bins of its first decisions at a product, and how many lay in each.
-- Made once and never changed. Nobody in it can be told from another; `through_…` names the last decision in it.
create table scoring.baselines (
    product     text        not null,
    sha256      bytea       not null references scoring.models (sha256),
    population  text        not null check (population in ('application', 'review')),
    content     text        not null,
    through_at  timestamptz not null,
    through_id  uuid        not null,
    made_at     timestamptz not null,
    primary key (product, sha256, population)
);

-- Months of a product whose reports are made.
create table scoring.watched_months (
    month      date        not null check (extract(day from month) = 1),
    product    text        not null,
    watched_at timestamptz not null,
    primary key (product, month)
);

grant select, insert on scoring.baselines, scoring.watched_months to grainline_app;
