"""Promises about the index held against simulated and real talks."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tradegap
from tradegap.charts import figure
from tradegap.gaps import combine_gaps
from tradegap.gaps.counts import count_left
from tradegap.trial import RIVALS, SCENARIOS, measure_blind, read_study

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def study():
    return read_study()


@pytest.fixture(scope="module")
def trial():
    return tradegap.open_trial()


def test_the_bands_hold_the_truth_as_often_as_they_say(study):
    model = study[study["method"] == "model"]
    whole = model[model["kind"] == "all"].iloc[0]
    scenarios = model[model["kind"].isin(["path", "reporting", "outlets", "coding"])]

    assert 0.85 <= whole["covers_90"] <= 0.95
    assert scenarios["covers_90"].between(0.80, 0.97).all()
    assert 0.45 <= whole["covers_50"] <= 0.55


def test_the_study_tries_the_scenarios_and_rivals_that_the_page_names(study):
    sys.path.insert(0, str(ROOT / "calibration"))
    import rivals

    assert set(study["kind"]) == {"all", *SCENARIOS, "cell"}
    assert list(rivals.READ) == list(RIVALS)
    assert set(RIVALS) < set(study["method"])


def test_the_error_is_a_third_below_that_of_the_mean_of_30_days(study):
    errors = study[study["kind"] == "all"].set_index("method")["rmse"]

    assert errors["model"] <= errors["30-day mean"] * 2 / 3


def test_no_rival_reads_any_scenario_better(study):
    errors = study[study["kind"] != "cell"].pivot(
        index=["kind", "scenario"], columns="method", values="rmse"
    )

    for rival in ("30-day mean", "exponential smoothing", "local level"):
        assert (errors["model"] < errors[rival]).all()


def test_the_simulator_gives_the_same_talks_for_the_same_seed():
    sys.path.insert(0, str(ROOT / "calibration"))
    import simulate

    drawn = [
        simulate.draw(np.random.default_rng(5), "steps", "sparse", "biased", simulate.Reviewer())
        for _ in range(2)
    ]

    pd.testing.assert_frame_equal(drawn[0].signals, drawn[1].signals)
    assert (drawn[0].truth == drawn[1].truth).all()
    assert drawn[0].truth.min() >= 0
    assert drawn[0].truth.max() <= 1


def test_every_moment_belongs_to_talks_on_record(trial):
    moments = pd.read_csv(ROOT / "data" / "calibration" / "moments.csv")

    assert set(moments["talks"]) <= set(tradegap.list_negotiations())
    assert len(trial.turns) == len(moments)
    assert set(trial.endings["talks"]) == set(tradegap.list_negotiations())


def test_the_index_is_right_about_japan_and_the_united_states(trial):
    turns = trial.turns[trial.turns["talks"] == "us-japan-2019"]
    gaps = tradegap.open_record("us-japan-2019", documents="notes").gaps
    last = gaps[(gaps["on"] == gaps["on"].max()) & (gaps["view"] == "then")]

    assert not turns["is_miss"].any()
    assert last.set_index("issue_id").loc["autos", "status"] == "deferred"


def test_the_whole_rises_at_the_snag_however_its_issues_are_weighted():
    record = tradegap.open_record("us-japan-2019", documents="notes")

    for gaps in (record.gaps, measure_blind(record)):
        whole = combine_gaps(gaps, record.negotiation)
        then = whole[whole["view"] == "then"].pivot(index="on", columns="weighting", values="gap")
        for days in (("2019-09-22", "2019-09-23"), ("2019-08-31", "2019-08-01")):
            before, after = (then.loc[pd.Timestamp(day)] for day in days)
            assert (after > before).all()


def test_talks_that_drifted_or_broke_off_never_look_agreed(trial):
    apart = trial.turns[trial.turns["expected"] == "stays apart"]

    assert not apart["is_miss"].any()


def test_a_count_that_the_index_is_held_against_has_not_gone_into_it():
    record = tradegap.open_record("brexit-withdrawal-2017", documents="notes")
    counting = record.signals["text"].map(count_left).notna()
    silent = record.signals.assign(text=record.signals["text"].mask(counting, ""))

    blind = measure_blind(record)

    assert counting.any()
    pd.testing.assert_frame_equal(blind, measure_blind(replace(record, signals=silent)))


def test_an_outcome_that_the_index_is_held_against_has_not_gone_into_it():
    record = tradegap.open_record("us-japan-2019", documents="notes")

    gaps = measure_blind(record)

    assert set(gaps["status"]) == {"negotiated"}


def test_the_new_charts_say_in_words_what_they_show(study):
    record = tradegap.open_record("us-japan-2019", documents="notes")

    charts = [
        *(tradegap.chart_whole(record), tradegap.chart_sides(record)),
        tradegap.chart_calibration(study),
    ]

    for chart in charts:
        drawn = figure(chart.to_dict())
        assert "NaN" not in drawn
        assert "<figcaption>" in drawn
        assert len(chart.to_dict()["description"]) > 40
    for panel in (tradegap.state_whole(record), tradegap.list_sensitivity(record)):
        assert "nan" not in panel.html.lower().replace("financ", "")
