"""A card says what the model and the registry say, and whatever a name holds, it stays a name."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl
import pytest
from small_models import card_of_two, card_reading
from typer.testing import CliRunner

from grainline.entry.cli import app
from grainline.scoring import CreditModel, Loaded, Portfolio, measure
from grainline.scoring.card import card_of
from grainline.scoring.card_evidence import Evidence, evidence_from, evidence_of
from grainline.scoring.card_pages import html_of, markdown_of
from grainline.scoring.fairness import fairness_of
from grainline.scoring.federated_part import FederatedPart
from grainline.scoring.registry_store import Registered


def evidence(count: int = 2_000, *, seed: int = 3) -> Evidence:
    draw = np.random.default_rng(seed)
    pd_e6 = (draw.beta(1, 4, count) * 900_000 + 1).astype(np.int64) // 1_000 * 1_000 + 1
    bad = draw.random(count) < pd_e6 / 1e6
    groups = pl.DataFrame({"sex": ["f", "m"] * (count // 2)})
    reports = fairness_of(groups, pd_e6=pd_e6, bad=bad, approved=pd_e6 < 180_000)
    return evidence_of(bad, pd_e6, told="Five folds.", fairness=reports)


def registered(model: CreditModel) -> Registered:
    now = datetime(2026, 11, 27, tzinfo=UTC)
    content = model.to_bytes()
    return Registered(model.sha256, model.kind, "named", content, b"\7" * 32, b"\x09" * 64, {}, now, "ann")


def test_measures_are_those_of_the_library_and_intervals_hold_the_truth() -> None:
    draw = np.random.default_rng(3)
    pd_e6 = (draw.beta(1, 4, 3_000) * 900_000 + 1).astype(np.int64) // 5_000 * 5_000 + 1
    bad = draw.random(3_000) < pd_e6 / 1e6
    found, told = evidence_of(bad, pd_e6, told="").measures, measure(bad, pd_e6 / 1e6)
    for name in ("auc", "ks", "brier", "calibration_error"):
        assert found[name].value == pytest.approx(getattr(told, name))
    # the interval is as wide as the spread among samples drawn from these people
    rows = [draw.integers(0, 3_000, 3_000) for _ in range(150)]
    drawn = [measure(bad[of], pd_e6[of] / 1e6) for of in rows]
    for name in ("auc", "ks", "brier"):
        low, high = found[name].low, found[name].high
        assert low is not None and high is not None
        assert high - low == pytest.approx(2 * 1.96 * np.std([getattr(one, name) for one in drawn]), rel=0.25)


def test_the_curves_are_of_everybody() -> None:
    shown = evidence()
    assert sum(shown.good) + sum(shown.bad) == sum(one.people for one in shown.deciles) == shown.rows == 2_000
    assert shown.roc[0] == (0, 0) and shown.roc[-1] == (1, 1)
    assert all(left <= right for left, right in zip(shown.roc, shown.roc[1:], strict=False))
    across, up = shown.ks_at
    assert up - across == pytest.approx(shown.measures["ks"].value, abs=1e-4)


def test_evidence_goes_through_a_models_facts() -> None:
    shown = evidence()
    model = card_of_two("facts", evidence=shown.to_json())
    again = CreditModel.from_bytes(model.to_bytes())
    assert evidence_from(again.facts["evidence"]) == shown
    assert html_of(card_of(Loaded(again))) == html_of(card_of(Loaded(again), evidence=shown))
    assert evidence_from(None) is evidence_from({"told": 1}) is None
    for part in ("deciles", "roc", "edges", "measures"):
        assert evidence_from({**again.facts["evidence"], part: {} if part == "measures" else []}) is None, part


def test_a_model_that_says_the_same_of_everybody_has_a_card_too() -> None:
    bad = np.arange(200) % 4 == 0
    shown = evidence_of(bad, np.full(200, 250_000), told="")
    assert shown.measures["auc"].value == 0.5 and len(shown.deciles) == 1
    assert "nan" not in html_of(card_of(Loaded(card_of_two()), evidence=shown))


def test_a_card_says_what_there_is() -> None:
    model = card_of_two("two", rows=1_234, seed=42)
    made = card_of(Loaded(model), registered=registered(model), evidence=evidence())
    page, text = html_of(made), markdown_of(made)
    for said in (model.sha256, "07" * 32, "09" * 64, "Five folds.", "By sex", "1,234", "from 0.3 below 0.8"):
        assert said in page and said in text, said
    assert "What it is not for" in page and "Much of the card's limit is in use" in text
    assert sorted(made.plots) == ["calibration.svg", "distribution.svg", "importance.svg", "roc.svg"]
    assert all(f"({name})" in text for name in made.plots)


def test_a_card_says_what_there_is_not() -> None:
    page = html_of(card_of(Loaded(card_reading("amount"))))
    for said in ("Not registered", "Not measured", "says nothing of the data", "None of its inputs has a reason code"):
        assert said in page, said


def test_names_are_shown_and_never_run() -> None:
    bad = "<script>alert(1)</script>|x\n# y"
    made = card_of(Loaded(replace(card_reading(bad), name=bad)), evidence=replace(evidence(), told=bad))
    page, text = html_of(made), markdown_of(made)
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "<script" not in text.replace("\\<", "")
    assert "\n# y" not in text
    shown = [line for line in text.splitlines() if "alert" in line]
    # in sentences none, in the tables of points and of inputs as many as they have columns, and one more
    assert {line.replace("\\|", "").count("|") for line in shown} == {0, 3, 6}


def test_plots_are_well_formed_and_fetch_nothing() -> None:
    made = card_of(Loaded(card_of_two()), evidence=evidence())
    for name, plot in made.plots.items():
        root = ElementTree.fromstring(plot)  # noqa: S314  (our own)
        assert root.tag.endswith("svg")
        assert not [node for node in root.iter() if node.tag.endswith(("script", "image", "use"))], name
        assert "nan" not in plot and "href" not in plot


def test_the_same_model_has_the_same_card() -> None:
    model = Loaded(card_of_two())
    assert html_of(card_of(model, evidence=evidence())) == html_of(card_of(model, evidence=evidence()))


def test_a_federated_part_says_that_it_is_useless_alone() -> None:
    part = FederatedPart(b"{}", "the lender's part", "Useless alone: so it is.", ("ab" * 32,), ("delay_now",))
    page = html_of(card_of(part))
    for said in ("Useless alone: so it is.", "ab" * 32, "delay_now", part.sha256, "no score can be made of it"):
        assert said in page, said


def test_the_command_writes_a_card_of_a_file(tmp_path: Path, sample: Portfolio) -> None:
    file, people = tmp_path / "model.json", tmp_path / "people.parquet"
    file.write_bytes(card_reading("delay_now", "used_mean").to_bytes())
    sample.frame.write_parquet(people)
    run = CliRunner().invoke(
        app, ["score", "card", str(file), "--out", str(tmp_path / "card"), "--portfolio", str(people), "--json"]
    )
    assert run.exit_code == 0, run.output
    page = (tmp_path / "card" / "card.html").read_text(encoding="utf-8")
    assert "By age band" in page and "3,000 people" in page
    bad = CliRunner().invoke(app, ["score", "card", str(people), "--out", str(tmp_path / "card")])
    assert bad.exit_code == 2 and "no model file" in bad.output


def test_the_command_tells_what_groups_are_approved(tmp_path: Path, sample: Portfolio) -> None:
    file, people = tmp_path / "model.json", tmp_path / "people.parquet"
    file.write_bytes(card_reading("delay_now", "used_mean").to_bytes())
    sample.frame.write_parquet(people)
    run = CliRunner().invoke(app, ["score", "fairness", "--model", str(file), "--portfolio", str(people)])
    assert run.exit_code == 0 and "By marriage" in run.output and "female" in run.output
    bad = CliRunner().invoke(app, ["score", "fairness", "--product", "none"])
    assert bad.exit_code == 2 and "there is no product" in bad.output
