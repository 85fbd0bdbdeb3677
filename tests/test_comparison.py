"""Promises about negotiations side by side."""

import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

import tradegap
from tradegap.charts import SILENT_DAYS, figure
from tradegap.charts.series import find_stretches, tell_silence
from tradegap.comparison import follow, open_comparison
from tradegap.errors import DataError
from tradegap.kept import STORE, prepare_store
from tradegap.talks import read_negotiation

ROOT = Path(__file__).resolve().parents[1]
FEW = ("us-china-2025", "us-eu-2025", "us-japan-2025", "us-japan-2019")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project of four negotiations, with a store, so that each is measured once."""
    root = tmp_path_factory.mktemp("few")
    for name in ("issues.csv", "parties.csv", "calibration"):
        copy = shutil.copytree if (ROOT / "data" / name).is_dir() else shutil.copy
        (root / "data").mkdir(exist_ok=True)
        copy(ROOT / "data" / name, root / "data" / name)
    for slug in FEW:
        shutil.copytree(
            ROOT / "data" / "talks" / slug,
            root / "data" / "talks" / slug,
            ignore=shutil.ignore_patterns("private", "signals"),
        )
    prepare_store(root / "store.sqlite")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADEGAP_ROOT", str(root))
        patch.setenv(STORE, str(root / "store.sqlite"))
        yield root


@pytest.fixture(scope="module")
def whole(project):
    return open_comparison()


@pytest.fixture(scope="module")
def autos(project):
    return open_comparison(issue="autos")


def test_every_negotiation_runs_from_its_opening_to_its_outcome_on_three_scales(whole):
    for talk in whole.talks.itertuples():
        course = whole.course[whole.course["talks"] == talk.talks]

        assert course["share"].iloc[[0, -1]].tolist() == [0, 1]
        assert course["to_end"].iloc[[0, -1]].tolist() == [-talk.days, 0]
        assert course["on"].iloc[-1] == talk.settled_on
        rounds = whole.rounds.loc[whole.rounds["talks"] == talk.talks, "rounds"]
        assert rounds.tolist() == list(range(1, talk.rounds + 1))
    assert set(whole.talks["talks"]) == set(FEW)


def test_a_course_is_what_the_page_of_its_negotiation_says(whole, autos):
    record = tradegap.open_record("us-japan-2025", documents="notes")
    then = record.gaps[record.gaps["view"] == "then"]
    mean = tradegap.combine_gaps(record.gaps, record.negotiation)
    mean = mean[(mean["view"] == "then") & (mean["weighting"] == "equal")]
    for comparison, gaps in ((whole, mean), (autos, then[then["issue_id"] == "autos"])):
        course = comparison.course[comparison.course["talks"] == "us-japan-2025"]
        both = course.merge(gaps, on="on", suffixes=("", "_page"))

        assert len(both) == len(course)
        assert (both["gap"] - both["gap_page"]).abs().max() <= 0.0006


def test_nothing_is_drawn_where_nothing_was_reported_for_long(whole):
    record = tradegap.open_record("us-japan-2019", documents="notes")
    then = record.gaps[record.gaps["view"] == "then"].groupby("on")["signals"].sum()
    spoke = then.index[then.diff().fillna(then) > 0]
    course = whole.course[whole.course["talks"] == "us-japan-2019"]
    since = course["on"].map(lambda day: (day - spoke[spoke <= day].max()).days)

    assert (course["stretch"].eq(0) == ~(since <= SILENT_DAYS)).all()
    assert course["stretch"].eq(0).any()
    drawn = tradegap.chart_beside(whole).to_dict()["datasets"].values()
    shares = [row["share"] for rows in drawn for row in rows if "line" in row]
    assert len(shares) > 100


def test_a_page_of_one_negotiation_draws_no_line_over_a_silence_and_says_so(project):
    days = pd.date_range("2020-01-01", periods=300, unit="us")
    told = (days >= "2020-01-11").astype(int) + (days >= "2020-09-01").astype(int)
    gaps = pd.DataFrame(
        {"issue_id": "autos", "on": days, "view": "then", "signals": told, "status": "negotiated"}
    )
    gaps.loc[gaps["on"] >= "2020-10-01", "status"] = "agreed"

    stretches = find_stretches(gaps).set_index("on")["stretch"]

    drawn = stretches[stretches > 0].index
    expected = pd.date_range("2020-01-11", "2020-04-10").union(
        pd.date_range("2020-09-01", days[-1])
    )
    assert drawn.tolist() == expected.tolist()
    assert stretches["2020-04-10"] != stretches["2020-09-01"]
    assert tell_silence(find_stretches(gaps)).endswith("on autos: the record is thin.")


def test_filters_leave_the_talks_that_they_name(project):
    agreed = open_comparison(outcome="agreed")
    long = open_comparison(party="Japan;US", least_days=200)

    assert set(agreed.talks["outcome"]) == {"agreed"}
    assert long.talks["talks"].tolist() == ["us-japan-2019"]
    assert agreed.this == "us-china-2025"  # what others are held against needs pass no filter


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"party": "Atlantis"}, "party: found 'Atlantis'; data/parties.csv has"),
        ({"outcome": "signed"}, "outcome: found 'signed'; it takes one of all, agreed"),
        ({"issue": "motors"}, "issue: found 'motors'; it takes one of overall"),
        ({"issue": "fisheries"}, "issue: no negotiation on record has 'fisheries'"),
        ({"talks": "atlantis"}, "talks: found 'atlantis'; it takes one of us-china-2025"),
        ({"as_of": "2020-01-01"}, "us-china-2025 opened on 2025-05-10"),
        ({"most_days": 1}, "no negotiation is 'all'"),
    ],
)
def test_a_filter_that_nothing_passes_is_refused_with_what_would_do(project, filters, message):
    with pytest.raises(DataError, match=re.escape(message)):
        open_comparison(**filters)


def test_a_standing_is_the_first_day_on_which_another_was_as_near(whole):
    for row in whole.standings.itertuples():
        course = whole.course[whole.course["talks"] == row.talks].set_index("on")["gap"]
        if pd.isna(row.near_on):
            assert (course > whole.gap).all()
        else:
            assert course[row.near_on] <= whole.gap
            assert (course[: row.near_on].iloc[:-1] > whole.gap).all()
    assert whole.this not in set(whole.standings["talks"])


def test_the_index_is_held_against_what_happened_without_having_been_told(project, whole):
    trial = tradegap.open_trial()
    expected = trial.endings.sort_values(["talks", "issue_id"]).reset_index(drop=True)

    found = whole.endings.sort_values(["talks", "issue_id"]).reset_index(drop=True)

    pd.testing.assert_frame_equal(found, expected)
    assert tradegap.list_misses(whole).html.count("<tr>") == 1 + int(
        whole.endings["is_miss"].sum() + whole.turns["is_miss"].sum()
    )


def test_each_chart_says_in_words_what_it_shows_and_leads_to_the_pages(whole, autos):
    for comparison, mark in ((whole, ""), (autos, "#evidence-autos")):
        charts = [
            tradegap.chart_overlay(comparison),
            tradegap.chart_overlay(comparison, along="to_end"),
            tradegap.chart_beside(comparison),
            tradegap.chart_by_round(comparison),
        ]
        for chart in charts:
            drawn = figure(chart.to_dict())
            assert "NaN" not in drawn
            assert len(chart.to_dict()["description"]) > 60
            for slug in comparison.talks["talks"]:
                assert f'href="../gap_evolution/{slug}.html{mark}"' in drawn
    ends = figure(tradegap.chart_endings(autos).to_dict())
    assert ends.count('href="../gap_evolution/') == len(autos.endings)


def test_each_panel_opens_with_the_answer_and_names_what_is_thin(whole, autos):
    answer = tradegap.state_comparison(autos).html

    assert '<p class="lead">Of 3 negotiations on autos: 2 ended agreed and 1 put off.</p>' in answer
    for comparison in (whole, autos):
        for panel in (tradegap.list_talks, tradegap.list_standings, tradegap.list_misses):
            assert "nan" not in panel(comparison).html.lower().replace("financ", "")
    assert tradegap.list_outcomes(autos).html.count("<tr>") == 4
    assert list(tradegap.tabulate_comparison(whole)["talks"]) == list(whole.talks["talks"])


def test_what_is_kept_is_what_was_made_and_a_new_note_makes_it_anew(project, whole, monkeypatch):
    negotiation = read_negotiation("us-japan-2025")
    kept = follow(negotiation, "notes")
    monkeypatch.delenv(STORE)
    assert follow(negotiation, "notes") == kept
    monkeypatch.setenv(STORE, str(project / "store.sqlite"))
    note = negotiation.folder / "notes" / "2025-05-20-somebody.md"
    note.write_text(
        "---\ntitle: x\npublisher: P\npublished: 2025-05-20\nsource_url: https://a.example\n"
        "confidence: high\n---\n\nJapan and the United States remain far apart on cars,"
        " the Japanese envoy said on Tuesday.\n"
    )

    try:
        changed = follow(negotiation, "notes")
    finally:
        note.unlink()

    assert changed["documents"] == kept["documents"] + 1
    assert changed["series"] != kept["series"]
