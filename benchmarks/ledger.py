"""How fast the ledger posts, held against pgbench's TPC-B-like transaction on the same server in the same minutes.

Three ways of posting, each through pgbench as the app's own role, over the shipped settings (fsync on):
- post: one `ledger.post` a transaction, two entries under a random member, 8 clients;
- batch: one `ledger.post_batch` of 500 such journals a transaction, 2 clients, counted in journals a second;
- hot: as post, but every journal has one side on the same house account.
"""

import sys
from statistics import median

import psycopg
from _stage import (
    CLIENTS,
    Figures,
    Stage,
    findings_of,
    options,
    print_figures,
    ratio,
    scripted,
    stage,
    tell,
    telling,
    tpcb,
)

from grainline.entry.postgres import APP_ROLE

BATCH_CLIENTS = 2

# A member's sub-account is made of their number, so that a member who comes again moves the balance that is there.
SUB = "lpad(to_hex({member}::bigint), 32, '0')::uuid"
POST = """
\\set member random(1, {members})
\\set amount 100 * random(1, 40000)
select ledger.post(:member, gen_random_uuid()::text, 'draw_reserved', current_date, now(),
    array['{debit}', '{credit}'], array[{sub}, {sub}], array[:amount::bigint, -:amount::bigint]);
"""
# The journals are made up by the server within the call that posts them: their making counts against us.
BATCH = """
with journal as materialized (
    select place, {member} as member_id, gen_random_uuid()::text as key, 100 * random(1, 40000)::bigint as amount
    from generate_series(1, {size}) as place
)
select ledger.post_batch(
    array_agg(member_id order by place), array_agg(key order by place),
    array_fill('draw_reserved'::text, array[{size}]), array_fill(current_date, array[{size}]), now(),
    array_agg(place order by place) || array_agg(place order by place),
    array_fill('1303'::text, array[{size}]) || array_fill('2202'::text, array[{size}]),
    array_agg({sub} order by place) || array_agg({sub} order by place),
    array_agg(amount order by place) || array_agg(-amount order by place))
from journal;
"""


def main() -> int:
    """Measure, print, and fail where the books do not balance afterwards."""
    parser = options(__doc__ or "", seconds=10.0)
    parser.add_argument("--members", type=int, default=100_000, help="members with balances (%(default)s)")
    parser.add_argument("--batch", type=int, default=500, help="journals in one batch (%(default)s)")
    given = parser.parse_args()
    with stage(scale=given.scale) as on, telling(5 * given.rounds + 2) as progress:
        tell(progress, "opening balances")
        _open_balances(on, members=given.members, size=given.batch)
        tps: dict[str, list[float]] = {name: [] for name in ("simple", "prepared", "post", "batch", "hot")}
        for _ in range(given.rounds):
            for name, results in tps.items():
                tell(progress, name)
                results.append(_measure(on, name, members=given.members, size=given.batch, seconds=given.seconds))
        tell(progress, "verifying")
        figures = _figures(tps, members=given.members, size=given.batch, seconds=given.seconds)
        findings = findings_of(on, without="house_equals_loans")  # these journals belong to no loan
    for finding in findings:
        print(finding, file=sys.stderr)
    print_figures({**figures, "verified": not findings}, as_json=given.json)
    return 1 if findings else 0


def _measure(on: Stage, name: str, *, members: int, size: int, seconds: float) -> float:
    sub = SUB.format(member=":member")
    if name == "simple" or name == "prepared":
        return tpcb(on.server, name, seconds=seconds)
    if name == "post":
        script = POST.format(members=members, sub=sub, debit="1303", credit="2202")
        return scripted(on.server, APP_ROLE, script, seconds=seconds)
    if name == "hot":
        script = POST.format(members=members, sub=sub, debit="1301", credit="1002")
        return scripted(on.server, APP_ROLE, script, seconds=seconds)
    script = _batch(f"random(1, {members})::bigint", size)
    return size * scripted(on.server, APP_ROLE, script, seconds=seconds, clients=BATCH_CLIENTS)


def _batch(member: str, size: int) -> str:
    return BATCH.format(member=member, size=size, sub=SUB.format(member="member_id"))


def _open_balances(on: Stage, *, members: int, size: int) -> None:
    """Post once to every member: what is measured is the account that exists, not the empty table."""
    with psycopg.connect(on.server.app_url, autocommit=True) as connection:
        for before in range(0, members, size):
            connection.execute(_batch(f"({before} + place)::bigint", size))
    with psycopg.connect(on.server.owner_url, autocommit=True) as connection:
        connection.execute("vacuum analyze")
        connection.execute("checkpoint")


def _figures(tps: dict[str, list[float]], *, members: int, size: int, seconds: float) -> Figures:
    middle = {name: median(results) for name, results in tps.items()}
    figures: Figures = {"tpcb_tps": round(middle["simple"], 1), "tpcb_prepared_tps": round(middle["prepared"], 1)}
    for name in ("post", "batch", "hot"):
        figures |= {
            f"{name}_tps": round(middle[name], 1),
            f"{name}_ratio": ratio(tps[name], tps["simple"]),
            f"{name}_ratio_prepared": ratio(tps[name], tps["prepared"]),
        }
    return figures | {
        "clients": CLIENTS,
        "batch_clients": BATCH_CLIENTS,
        "batch_size": size,
        "members": members,
        "rounds": len(tps["post"]),
        "seconds": seconds,
    }


if __name__ == "__main__":
    raise SystemExit(main())
