"""A back-test of rules on the shipped portfolio, whose people have what the rules and pricing look at."""

import numpy as np
import polars as pl
import pytest
from rule_files import PACKS, RULES

from grainline.entry.backtest_command import SHIPPED
from grainline.scoring import Scores
from grainline.scoring.portfolio import checked
from grainline.underwriting import decide_portfolio
from grainline.underwriting.backtest import expected_profit_fen
from grainline.underwriting.policy_backtest import hold_versions
from grainline.underwriting.portfolio_facts import facts_of_portfolio


@pytest.mark.parametrize("product", sorted(PACKS))
def test_rules_are_held_against_the_portfolio(product: str) -> None:
    pack, rows = PACKS[product], 900
    people = checked(pl.read_parquet(SHIPPED).head(rows))
    probability = np.linspace(0.001, 0.4, rows)
    scores = Scores(probability, probability, tuple(int(p * 1e6) for p in probability), ((),) * rows, "made up")
    facts = facts_of_portfolio(pack, people, scores)
    late = people.frame["status_1"].to_numpy() > 0
    assert (facts["overdue_elsewhere"].to_numpy() == "yes").tolist() == late.tolist()
    found = hold_versions(RULES[product], RULES[product], facts, pack=pack)
    assert found.people == rows
    assert (found.moves, found.tier_moves, found.flips) == ({}, {}, {})
    assert sum(found.new.counts.values()) == rows
    assert 0 < found.new.counts["approve"] < rows
    # Whoever is approved is offered what the backtest offers them, and is worth what it says.
    decisions = [one for one in decide_portfolio(pack, people, scores) if one.invited]
    everybody = expected_profit_fen(
        pack,
        line_fen=np.array([one.line_fen for one in decisions]),
        rate_e8=np.array([one.rate_e8 for one in decisions]),
        pd_e6=np.array([one.pd_e6 for one in decisions]),
    )
    alone = [hold_versions(RULES[product], RULES[product], facts[n : n + 1], pack=pack).new for n in range(3)]
    assert [one.expected_profit_fen for one in alone] == [
        int(profit) * one.counts["approve"] for profit, one in zip(everybody[:3], alone, strict=True)
    ]
    assert found.new.bad_rate_approved is not None
    assert 0 < found.new.bad_rate_approved < 1
