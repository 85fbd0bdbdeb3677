from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from tradegap.gaps import GRID, NARROWED, WALK, WIDENED, measure_gaps, read_gap, weigh_signals
from tradegap.tables import conform, empty


def talks(**outcomes):
    """A negotiation of two issues and the talks as a whole, over 100 days of 2020."""
    issues = pd.DataFrame(
        {
            "issue_id": ["overall", "autos", "agriculture"],
            "outcome": [outcomes.get(i, ("", ""))[0] for i in ("overall", "autos", "agriculture")],
            "outcome_on": pd.to_datetime(
                [outcomes.get(i, ("", None))[1] for i in ("overall", "autos", "agriculture")]
            ),
        }
    )
    return SimpleNamespace(
        slug="sample",
        folder=Path("sample"),
        parties=("Japan", "US"),
        opened_on=date(2020, 1, 1),
        ended_on=date(2020, 4, 10),
        issues=issues,
        rounds=empty("rounds"),
        milestones=empty("milestones"),
    )


def signal(direction, on, issues="autos", *, story="", start=0, **other):
    day = pd.Timestamp(on)
    row = {
        "document": "note.md",
        "sha256": f"{story or on}{direction}{issues}",
        "start": start,
        "end": start + 10,
        "text": "a sentence",
        "direction": direction,
        "issues": issues,
        "speaker": "",
        "party": "",
        "pace": "none",
        "pace_text": "",
        "forward_text": "",
        "forward_date": "",
        "scope": "between",
        "talks": "Japan;US",
        "published": day,
        "event_date": day,
        "headline": False,
        "confidence": 1.0,
        "why": "",
        "review": "confirmed",
        "publisher": "",
        "story": story or f"{on}{direction}{issues}",
        "is_private": False,
        "coder": "cues",
    }
    return row | other


def frame(*signals):
    rows = pd.DataFrame(list(signals))
    return conform(rows, "accepted_signals") if signals else empty("accepted_signals")


def reading(gaps, on, issue="autos", view="then"):
    return read_gap(gaps, date.fromisoformat(on), view=view).set_index("issue_id").loc[issue]


def test_each_transition_keeps_all_belief():
    for matrix in (WALK, NARROWED, WIDENED):
        assert np.allclose(matrix.sum(axis=0), 1)
        assert (matrix >= 0).all()


def test_talks_start_as_far_apart_as_they_can_be():
    gaps = measure_gaps(frame(), talks())

    assert reading(gaps, "2020-01-01").gap > 0.9


def test_silence_widens_the_band():
    gaps = measure_gaps(frame(signal("narrowing", "2020-01-10")), talks())

    widths = [
        reading(gaps, day).gap_high - reading(gaps, day).gap_low
        for day in ("2020-01-12", "2020-02-12", "2020-03-30")
    ]
    assert widths == sorted(widths)
    assert widths[-1] > widths[0] + 0.05


def test_narrowing_lowers_widening_raises_and_closed_brings_near_zero():
    narrowed = measure_gaps(frame(signal("narrowing", "2020-02-01")), talks())
    widened = measure_gaps(
        frame(signal("closed", "2020-02-01"), signal("widening", "2020-02-10")), talks()
    )

    assert reading(narrowed, "2020-02-01").gap < reading(narrowed, "2020-01-31").gap - 0.1
    assert reading(widened, "2020-02-01").gap < 0.25
    assert reading(widened, "2020-02-10").gap > reading(widened, "2020-02-09").gap + 0.1


def test_an_open_gap_says_that_it_is_not_closed_and_no_more():
    closed = signal("closed", "2020-02-01")
    told = measure_gaps(frame(closed, signal("open", "2020-02-15")), talks())
    untold = measure_gaps(frame(closed), talks())
    early = measure_gaps(frame(signal("open", "2020-01-02")), talks())

    assert reading(told, "2020-02-15").gap > reading(untold, "2020-02-15").gap
    assert abs(reading(early, "2020-01-02").gap - reading(untold, "2020-01-02").gap) < 0.02


def test_a_reprint_does_not_close_the_gap_twice():
    once = frame(signal("narrowing", "2020-02-01", story="s"))
    twice = frame(
        signal("narrowing", "2020-02-01", story="s"),
        signal("narrowing", "2020-02-01", story="s", start=50),
    )

    one, two = measure_gaps(once, talks()), measure_gaps(twice, talks())

    assert reading(one, "2020-02-01").gap == reading(two, "2020-02-01").gap


def test_an_independent_outlet_adds_some_but_less_than_the_first():
    first = frame(signal("narrowing", "2020-02-01", story="a"))
    both = frame(
        signal("narrowing", "2020-02-01", story="a"), signal("narrowing", "2020-02-01", story="b")
    )

    weights = weigh_signals(both, talks())
    own = weights[(weights["issue_id"] == "autos")]["weight"].sort_values().tolist()
    one, two = measure_gaps(first, talks()), measure_gaps(both, talks())

    assert own == [0.5, 1.0]
    assert reading(two, "2020-02-01").gap < reading(one, "2020-02-01").gap


def test_nothing_published_later_moves_what_was_known_then():
    past = [signal("narrowing", "2020-02-01"), signal("open", "2020-02-10")]
    futures = [
        [signal("closed", "2020-03-01"), signal("widening", "2020-03-20")],
        [signal("widening", "2020-03-01"), signal("closed", "2020-03-05", "overall")],
        [],
    ]

    runs = [measure_gaps(frame(*past, *future), talks()) for future in futures]

    known = [
        run[(run["view"] == "then") & (run["on"] < "2020-03-01")].reset_index(drop=True)
        for run in runs
    ]
    for other in known[1:]:
        pd.testing.assert_frame_equal(known[0], other)


def test_hindsight_lets_a_later_denial_speak_for_the_days_before():
    denials = [signal("open", f"2020-02-0{day}") for day in (2, 3, 4)]
    gaps = measure_gaps(frame(signal("closed", "2020-02-01"), *denials), talks())

    then = reading(gaps, "2020-02-01")
    hindsight = reading(gaps, "2020-02-01", view="hindsight")

    assert hindsight.gap > then.gap + 0.1


def test_hindsight_and_then_agree_on_the_last_day():
    gaps = measure_gaps(
        frame(signal("narrowing", "2020-02-01"), signal("open", "2020-04-10")), talks()
    )

    then, hindsight = (reading(gaps, "2020-04-10", view=view) for view in ("then", "hindsight"))

    assert (then.gap, then.gap_low) == (hindsight.gap, hindsight.gap_low)


def test_the_recursion_gives_what_summing_over_all_paths_gives():
    from tradegap.gaps import LEVELS, START_SPREAD

    three_days = talks()
    three_days.ended_on = date(2020, 1, 3)
    gaps = measure_gaps(
        frame(signal("narrowing", "2020-01-02"), signal("open", "2020-01-03")), three_days
    )

    start = np.exp((GRID - 1) / START_SPREAD)
    start /= start.sum()
    share = 1 - np.exp(-2.0)
    moved = ((1 - share) * np.eye(101) + share * NARROWED) @ WALK
    paths = np.einsum("a,ba,cb,c->abc", start, moved, WALK, LEVELS["open"])
    paths /= paths.sum()

    for axis, day in ((0, "2020-01-01"), (1, "2020-01-02"), (2, "2020-01-03")):
        others = tuple({0, 1, 2} - {axis})
        expected = (paths.sum(axis=others) * GRID).sum()
        assert reading(gaps, day, view="hindsight").gap == pytest.approx(expected, abs=6e-4)


def test_a_deferred_issue_is_never_at_zero_and_an_agreed_one_stays_there():
    signals = frame(signal("closed", "2020-03-01", "overall"))
    outcomes = {"autos": ("deferred", "2020-02-28"), "agriculture": ("agreed", "2020-03-01")}

    gaps = measure_gaps(signals, talks(**outcomes))

    assert reading(gaps, "2020-03-15").status == "deferred"
    assert reading(gaps, "2020-03-15").gap > 0.4
    assert reading(gaps, "2020-03-15", "agriculture").status == "agreed"
    assert reading(gaps, "2020-04-10", "agriculture").gap < 0.05


def test_a_setback_on_a_deferred_issue_still_moves_it():
    outcomes = {"autos": ("deferred", "2020-02-28")}
    calm = measure_gaps(frame(signal("narrowing", "2020-02-20")), talks(**outcomes))
    snag = measure_gaps(
        frame(signal("narrowing", "2020-02-20"), signal("widening", "2020-03-10")),
        talks(**outcomes),
    )

    assert reading(snag, "2020-03-10").gap > reading(calm, "2020-03-10").gap


def test_only_signals_between_the_parties_of_these_talks_count():
    strangers = frame(
        signal("closed", "2020-02-01", scope="within"),
        signal("closed", "2020-02-02", talks="China;US"),
        signal("none", "2020-02-03"),
        signal("closed", "2020-02-04", "fisheries"),
        signal("closed", "2019-02-04"),
    )

    assert weigh_signals(strangers, talks()).empty


def test_a_word_on_the_whole_bears_on_each_issue_with_less_weight():
    gaps = measure_gaps(frame(signal("narrowing", "2020-02-01", "overall")), talks())

    def fell(issue):
        before, after = reading(gaps, "2020-01-31", issue), reading(gaps, "2020-02-01", issue)
        return before.gap - after.gap

    assert fell("overall") > fell("autos") > 0.02


def test_an_unsure_signal_moves_less_than_a_sure_one():
    sure = measure_gaps(frame(signal("narrowing", "2020-02-01")), talks())
    unsure = measure_gaps(frame(signal("narrowing", "2020-02-01", confidence=0.3)), talks())

    assert reading(sure, "2020-02-01").gap < reading(unsure, "2020-02-01").gap


def test_contradiction_silence_and_one_crowded_day_give_figures():
    cases = [
        frame(),
        frame(*[signal(d, "2020-02-01") for d in ("closed", "open", "widening", "narrowing")]),
        frame(*[signal("open", "2020-01-01", story=str(n)) for n in range(60)]),
        frame(signal("closed", "2020-12-01")),
    ]

    for signals in cases:
        gaps = measure_gaps(signals, talks())
        assert not gaps[["gap", "gap_low", "gap_high"]].isna().any().any()
        assert (gaps["gap_low"] <= gaps["gap"]).all()
        assert (gaps["gap"] <= gaps["gap_high"]).all()


def test_frames_that_go_in_are_not_changed():
    signals = frame(signal("narrowing", "2020-02-01"))
    before = signals.copy()

    measure_gaps(signals, talks())

    pd.testing.assert_frame_equal(signals, before)


def test_the_worked_example_of_the_method_page_comes_out():
    gaps = measure_gaps(frame(signal("narrowing", "2020-01-02")), talks())

    page = (Path(__file__).resolve().parents[1] / "docs" / "method.md").read_text("utf-8")
    stated = float(page.split("The model gives ")[1].split(" ")[0])
    by_hand = 0.95 * ((1 - np.exp(-2)) * 5 / 6 + np.exp(-2))
    assert reading(gaps, "2020-01-02").gap == stated
    assert by_hand == pytest.approx(stated, abs=0.02)
