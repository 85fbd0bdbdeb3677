from dataclasses import replace
from datetime import date
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tradegap.errors import DataError
from tradegap.gaps import (
    combine_gaps,
    explain_gap,
    explain_moves,
    measure_divergence,
    measure_gaps,
    rank_issues,
    read_gap,
    vary_gaps,
    weigh_issues,
    weigh_signals,
)
from tradegap.gaps.counts import count_left
from tradegap.gaps.model import (
    CLOSING,
    GRID,
    PARTING,
    WALK,
    errors,
    filter_days,
    look_back,
    odds,
    say,
    start,
    step,
    step_back,
    tell,
)
from tradegap.tables import conform, empty
from tradegap.talks import Negotiation


def talks(*issues, **outcomes):
    """A negotiation of two issues and the talks as a whole, over 100 days of 2020."""
    names = issues or ("overall", "autos", "agriculture")
    sheet = pd.DataFrame(
        {
            "issue_id": names,
            "salience": [{"autos": 3}.get(name, 1) for name in names],
            "outcome": [outcomes.get(name, ("", ""))[0] for name in names],
            "outcome_on": pd.to_datetime([outcomes.get(name, ("", None))[1] for name in names]),
            "outcome_note": "",
            "source_url": "",
            "confidence": "",
        }
    )
    stakes = pd.DataFrame(
        {
            "stake_id": ["s1", "s2"],
            "issue_id": ["autos", "agriculture"],
            "amount": ["2", "8000"],
            "unit": ["USD bn", "USD m"],
        }
    ).reindex(columns=empty("stakes").columns)
    return Negotiation(
        slug="sample",
        folder=Path("sample"),
        title="Sample talks",
        parties=("Japan", "US"),
        opened_on=date(2020, 1, 1),
        ended_on=date(2020, 4, 10),
        outcome="agreed",
        mandate="",
        mandate_url="",
        about="",
        issues=conform(sheet, "negotiation_issues"),
        rounds=empty("rounds"),
        milestones=empty("milestones"),
        positions=empty("positions"),
        stakes=conform(stakes, "stakes"),
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
    for matrix in (WALK, CLOSING, PARTING):
        assert np.allclose(matrix.sum(axis=0), 1)
        assert (matrix >= 0).all()
    assert step(start()[:, :, None]).sum() == pytest.approx(1)


def test_a_step_back_is_the_transpose_of_a_step():
    rng = np.random.default_rng(1)
    belief, message = rng.random((2, 3, len(GRID), 2))

    forward = (step(belief) * message).sum(axis=(0, 1))
    backward = (belief * step_back(message)).sum(axis=(0, 1))

    assert np.allclose(forward, backward)


def test_every_report_is_one_of_the_four_directions():
    for lean in (-1.5, 0.0, 1.5):
        assert np.allclose(tell(lean).sum(axis=0), 1)


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
        frame(
            *[signal("closed", f"2020-02-0{day}") for day in (1, 2, 3)],
            signal("widening", "2020-02-10"),
        ),
        talks(),
    )

    assert reading(narrowed, "2020-02-01").gap < reading(narrowed, "2020-01-31").gap - 0.03
    assert reading(widened, "2020-02-03").gap < 0.25
    assert reading(widened, "2020-02-10").gap > reading(widened, "2020-02-09").gap + 0.05


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
    own = weights[weights["issue_id"] == "autos"]["weight"].tolist()
    one, two = measure_gaps(first, talks()), measure_gaps(both, talks())

    assert own == [0.6667, 0.6667]  # two reports of one event count as 2 / (1 + 0.5)
    assert reading(two, "2020-02-01").gap < reading(one, "2020-02-01").gap


def test_a_later_report_of_one_event_adds_less_and_leaves_the_first_as_it_was():
    event = pd.Timestamp("2020-02-01")
    both = frame(
        signal("narrowing", "2020-02-01", story="a"),
        signal("narrowing", "2020-02-03", story="b", event_date=event),
    )

    weights = weigh_signals(both, talks("autos"))

    assert weights["weight"].tolist() == [1.0, 0.3333]


def test_a_copy_of_a_later_day_adds_nothing():
    copy = signal("narrowing", "2020-02-03", story="a", sha256="copy")
    both = frame(signal("narrowing", "2020-02-01", story="a"), copy)

    assert weigh_signals(both, talks("autos"))["weight"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize("seed", range(4))
def test_shuffling_the_future_changes_nothing_that_was_known_then(seed):
    rng = np.random.default_rng(seed)
    days = pd.date_range("2020-01-05", "2020-04-05", freq="4D")
    told = [
        signal(
            rng.choice(["closed", "narrowing", "open", "widening"]),
            day,
            rng.choice(["autos", "overall"]),
            story=f"s{number % 17}",  # some stories are printed again later
            sha256=str(number),
            publisher=rng.choice(["A", "B"]),
            party=rng.choice(["Japan", "US", ""]),
            review="unreviewed",
            confidence=0.7,
        )
        for number, day in enumerate(days)
    ]
    past = [each for each in told if each["published"] < pd.Timestamp("2020-02-20")]
    future = [each for each in told if each["published"] >= pd.Timestamp("2020-02-20")]
    dates = rng.permutation([each["published"] for each in future])
    shuffled = [
        each | {"published": pd.Timestamp(day), "event_date": pd.Timestamp(day), "story": "late"}
        for each, day in zip(future, dates, strict=True)
    ]

    known = []
    for signals in ([*past, *future], [*past, *shuffled], past):
        for party in ("", "Japan"):
            gaps = measure_gaps(frame(*signals), talks(), party=party)
            then = gaps[(gaps["view"] == "then") & (gaps["on"] < "2020-02-20")]
            known.append(then.reset_index(drop=True))

    for number in (2, 3, 4, 5):
        pd.testing.assert_frame_equal(known[number % 2], known[number])


def test_hindsight_lets_a_later_denial_speak_for_the_days_before():
    denials = [signal("open", f"2020-02-{day:02}") for day in (4, 8, 12, 16, 20)]
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


def test_the_recursions_give_what_summing_over_all_paths_gives():
    says = np.zeros((3, 3 * len(GRID), 1))
    says[1, :, 0] = say("narrowing", 0.9, 0.0)
    says[2, :, 0] = 0.6 * say("open", 0.7, 0.0)
    states = 3 * len(GRID)
    moves = np.stack([step(unit.reshape(3, -1, 1)).ravel() for unit in np.eye(states)], axis=1)
    told = np.exp(says[:, :, 0])

    paths = np.einsum(
        "a,ba,b,cb,c->abc", start().ravel(), moves, told[1], moves, told[2], optimize=True
    )
    filtered = filter_days(says, {})
    smoothed = look_back(says, {}, filtered)

    for day in range(3):
        others = tuple({0, 1, 2} - {day})
        wanted = paths.sum(axis=others) / paths.sum()
        assert np.allclose(smoothed[day].ravel(), wanted)
    assert np.allclose(filtered[-1], smoothed[-1])


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

    assert fell("overall") > fell("autos") > 0.01


def test_a_word_on_an_issue_bears_on_the_whole_and_more_so_the_more_salient_the_issue():
    def weight(issues, **outcomes):
        rows = weigh_signals(frame(signal("open", "2020-02-01", issues)), talks(**outcomes))
        return rows.query("issue_id == 'overall'")["weight"].tolist()

    assert weight("autos") == [0.4]  # of salience 3
    assert weight("agriculture") == [0.1333]  # of salience 1
    assert weight("agriculture;autos") == [0.4]
    assert weight("agriculture;autos", autos=("deferred", "2020-01-20")) == [0.1333]
    assert weight("overall;autos") == [1.0]


def test_what_is_said_of_an_issue_bears_on_no_other_issue():
    rows = weigh_signals(frame(signal("open", "2020-02-01", "autos")), talks())

    assert rows["issue_id"].tolist() == ["autos", "overall"]


def test_an_obstacle_on_an_issue_raises_the_gap_of_the_whole_until_the_issue_is_put_off():
    closed = signal("closed", "2020-02-01", "overall")
    snag = signal("widening", "2020-02-20", "autos")
    put_off = talks(autos=("deferred", "2020-02-15"))

    calm, told = (measure_gaps(frame(*each), talks()) for each in ([closed], [closed, snag]))
    calm_after, told_after = (
        measure_gaps(frame(*each), put_off) for each in ([closed], [closed, snag])
    )

    def whole(gaps):
        return reading(gaps, "2020-02-20", "overall").gap

    assert whole(told) > whole(calm) + 0.05
    assert whole(told_after) == whole(calm_after)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("The text is 90 per cent settled, the minister said.", 0.1),
        ("About 80% of the agreement has been agreed.", 0.2),
        ("Negotiators say 15 percent of the treaty is still open.", 0.15),
        ("14 of the 20 chapters have been provisionally closed.", 0.3),
        ("Six out of about thirty chapters are complete.", 0.8),
        ("They agreed to cut the duty to 15 percent.", None),
        ("A tariff of 25 percent was agreed.", None),
        ("Two of the three ministers were there.", None),
        ("Both sides offer to end 97 percent of their tariffs.", None),
        ("120 of 100 chapters are closed.", None),
    ],
)
def test_only_what_is_counted_as_settled_or_open_is_read_as_a_count(text, left):
    found = count_left(text)

    assert np.isnan(found) if left is None else found == left


def test_a_count_of_what_is_left_is_evidence_of_a_level_whatever_its_direction():
    before = signal("closed", "2020-02-01")
    gaps = {
        text: reading(
            measure_gaps(frame(before, signal("narrowing", "2020-02-10", text=text)), talks()),
            "2020-02-10",
        ).gap
        for text in ("Progress was made.", "10 percent is settled.", "95 percent is settled.")
    }

    assert gaps["10 percent is settled."] > gaps["Progress was made."] + 0.1
    assert gaps["95 percent is settled."] < gaps["Progress was made."] - 0.05


def test_an_unsure_signal_moves_less_than_a_sure_one():
    sure = measure_gaps(frame(signal("narrowing", "2020-02-01")), talks())
    unsure = measure_gaps(
        frame(signal("narrowing", "2020-02-01", review="unreviewed", confidence=0.3)), talks()
    )

    assert reading(sure, "2020-02-01").gap < reading(unsure, "2020-02-01").gap


def test_frames_that_go_in_are_not_changed():
    signals = frame(signal("narrowing", "2020-02-01"))
    before = signals.copy()

    measure_gaps(signals, talks())

    pd.testing.assert_frame_equal(signals, before)


def test_a_reviewed_signal_moves_more_than_a_coded_one_of_the_usual_chance():
    decided = measure_gaps(frame(signal("narrowing", "2020-02-01")), talks())
    coded = measure_gaps(
        frame(signal("narrowing", "2020-02-01", review="unreviewed", confidence=0.4)), talks()
    )

    assert reading(decided, "2020-02-01").gap < reading(coded, "2020-02-01").gap


def test_what_a_source_always_says_counts_less():
    usual = [
        signal(direction, f"2020-01-{day:02}", publisher=outlet, story=f"{outlet}{day}")
        for day in range(2, 30, 2)
        for outlet, direction in (("Cheerful Times", "narrowing"), ("Other News", "open"))
    ]
    cheerful = signal("narrowing", "2020-02-10", publisher="Cheerful Times")
    other = signal("narrowing", "2020-02-10", publisher="Other News")

    fell = []
    for last in (cheerful, other):
        gaps = measure_gaps(frame(*usual, last), talks())
        fell.append(reading(gaps, "2020-02-09").gap - reading(gaps, "2020-02-10").gap)

    leans = weigh_signals(frame(*usual, cheerful), talks()).set_index("known_on")["lean"]
    assert leans.loc["2020-02-10"].gt(0).all()
    assert leans.loc["2020-01-02"].eq(0).all()
    assert fell[1] > fell[0] > 0


def test_each_side_has_a_series_of_its_own_and_their_divergence_a_band():
    signals = frame(
        signal("closed", "2020-02-01", party="Japan"),
        signal("open", "2020-02-01", party="US"),
        signal("widening", "2020-02-05", party="US"),
    )

    apart = measure_divergence(signals, talks())
    rows = apart[(apart["issue_id"] == "autos") & (apart["view"] == "then")].set_index("on")

    day = rows.loc["2020-02-05"]
    assert (day["party"], day["other"]) == ("Japan", "US")
    assert day["divergence"] == pytest.approx(day["gap_party"] - day["gap_other"], abs=2e-3)
    assert day["divergence_low"] < day["divergence"] < day["divergence_high"]
    assert day["divergence"] < -0.3
    assert rows.loc["2020-01-10", "divergence"] == 0


def test_the_whole_is_weighted_three_ways():
    weights = weigh_issues(talks()).set_index(["weighting", "issue_id"])["weight"]

    assert weights["equal", "autos"] == 0.5
    assert weights["salience", "autos"] == 0.75
    assert weights["trade", "autos"] == 0.2  # 2 of 10 billion dollars


def test_the_gap_of_the_whole_lies_among_those_of_its_issues():
    signals = frame(signal("closed", "2020-02-01"), signal("open", "2020-02-01", "agriculture"))
    gaps = measure_gaps(signals, talks())

    whole = combine_gaps(gaps, talks())
    day = whole[(whole["on"] == "2020-02-10") & (whole["view"] == "then")]
    autos = reading(gaps, "2020-02-10")
    farm = reading(gaps, "2020-02-10", "agriculture")
    ranks = rank_issues(gaps, talks()).set_index(["weighting", "issue_id"])["rank"]

    values = day.set_index("weighting")["gap"]
    assert values["equal"] == pytest.approx((autos.gap + farm.gap) / 2, abs=2e-3)
    assert values["salience"] < values["equal"] < values["trade"]
    assert (day["gap_low"] < day["gap"]).all()
    assert (day["gap"] < day["gap_high"]).all()
    assert ranks["equal", "agriculture"] == 1


def test_a_dropped_issue_leaves_the_whole_and_a_deferred_one_stays_in_it():
    for outcome, stays in (("dropped", False), ("deferred", True)):
        sample = talks(autos=(outcome, "2020-03-01"))
        signals = frame(signal("closed", "2020-02-01", "agriculture"))
        gaps = measure_gaps(signals, sample)

        whole = combine_gaps(gaps, sample)
        day = whole[(whole["on"] == "2020-03-10") & (whole["view"] == "then")]
        equal = day[day["weighting"] == "equal"].iloc[0].gap
        farm = reading(gaps, "2020-03-10", "agriculture").gap

        assert (equal > farm + 0.05) == stays


def test_the_shares_of_a_move_add_up_to_it():
    signals = frame(
        signal("narrowing", "2020-02-01", party="Japan", story="a"),
        signal("narrowing", "2020-02-01", party="US", story="b"),
        signal("open", "2020-02-10"),
        signal("narrowing", "2020-02-11", text="Three of ten chapters are closed."),
        signal("closed", "2020-02-12", "overall"),
        signal("widening", "2020-03-01"),
    )

    spans = (("2020-03-05", None), ("2020-03-05", "2020-02-05"), ("2020-02-01", None))
    for issue, (on, since) in product(("autos", "overall"), spans):
        past = date.fromisoformat(since) if since else None
        shares = explain_gap(signals, talks(), issue, date.fromisoformat(on), since=past)
        row = shares.iloc[0]
        measured = reading(measure_gaps(signals, talks()), on, issue).gap

        assert shares["share"].sum() == pytest.approx(row.gap - row.gap_before, abs=1e-3)
        assert row.gap == pytest.approx(measured, abs=1e-3)
        assert (shares["known_on"] <= on).all()
        if since:
            assert (shares["known_on"] > since).all()


def test_two_like_reports_share_a_move_evenly_and_splitting_one_changes_nothing():
    pair = frame(
        signal("narrowing", "2020-02-01", story="a"), signal("narrowing", "2020-02-01", story="b")
    )
    split = frame(
        signal("narrowing", "2020-02-01", story="a"),
        signal("narrowing", "2020-02-01", story="a", start=50),
        signal("narrowing", "2020-02-01", story="b"),
    )

    two, three = (explain_gap(each, talks(), "autos", date(2020, 2, 1)) for each in (pair, split))

    assert two["share"].nunique() == 1
    assert three["share"].min() == pytest.approx(two["share"].iat[0], abs=2e-4)
    assert three["share"].sum() == pytest.approx(two["share"].sum(), abs=2e-4)


def test_the_gap_without_a_signal_is_that_of_a_record_without_it():
    signals = frame(signal("narrowing", "2020-02-01"), signal("closed", "2020-02-20"))

    shares = explain_gap(signals, talks(), "autos", date(2020, 2, 25))
    without = shares.set_index("direction")["gap_without"]

    kept = frame(signal("narrowing", "2020-02-01"))
    expected = reading(measure_gaps(kept, talks()), "2020-02-25").gap
    assert without["closed"] == pytest.approx(expected, abs=1e-3)


def test_each_day_of_reports_is_taken_apart():
    signals = frame(
        signal("narrowing", "2020-02-01"), signal("open", "2020-02-01", "autos;overall", story="b")
    )

    moves = explain_moves(signals, talks())
    own = moves[moves["issue_id"] == "autos"]

    assert own["share"].sum() == pytest.approx(
        own["gap"].iat[0] - own["gap_before"].iat[0], abs=1e-3
    )
    assert set(own["on"]) == {pd.Timestamp("2020-02-01")}


def test_nothing_moves_an_issue_that_was_settled():
    sample = talks(autos=("agreed", "2020-02-01"))
    signals = frame(signal("widening", "2020-02-10"))

    assert explain_gap(signals, sample, "autos", date(2020, 2, 20)).empty


def test_an_issue_that_the_talks_do_not_have_is_refused():
    with pytest.raises(DataError, match=r"found 'fish'; these talks have overall, autos"):
        explain_gap(frame(), talks(), "fish", date(2020, 2, 1))


def test_the_sensitivity_table_leaves_out_outlets_and_sides_and_weights_cues_anew():
    signals = frame(
        *[
            signal("narrowing", f"2020-02-0{day}", publisher="Kyodo", party="Japan")
            for day in range(1, 5)
        ],
        signal("open", "2020-03-01", publisher="Jiji"),
        signal("open", "2020-03-02", publisher="Nikkei"),
    )

    changes = vary_gaps(signals, talks()).set_index("change")

    assert list(changes.index) == [
        *("without Kyodo", "without the 2 other outlets"),
        *("without what Japan says", "without what US says"),
        *("cue weights halved", "cue weights doubled"),
    ]
    assert changes.loc["without Kyodo", "gap_change_most"] > 0.1
    assert changes.loc["without the 2 other outlets", "signals"] == 2
    assert changes.loc["without what US says", "gap_change_most"] == 0
    assert changes.loc["cue weights halved", "gap_change_most"] > 0


HARD = {
    "none at all": [],
    "all directions on one day": ["closed", "narrowing", "open", "widening"],
    "sixty on the first day": ["open"] * 60,
}
ODD = ["dates outside", "only the whole", "one issue, no whole", "still open", "one day"]


@pytest.mark.parametrize("case", [*HARD, *ODD])
def test_hard_input_gives_figures_everywhere(case):
    sample = talks()
    days = "2020-01-01" if case == "sixty on the first day" else "2020-02-01"
    told = [signal(each, days, story=str(n)) for n, each in enumerate(HARD.get(case, ["closed"]))]
    if case == "dates outside":
        told = [
            signal("closed", "2019-06-01"),
            signal("closed", "2020-12-01", event_date=pd.Timestamp("2019-01-01")),
            signal("open", "2020-02-01", event_date=pd.Timestamp("2021-01-01")),
        ]
    elif case == "one issue, no whole":
        sample = talks("autos")
    elif case == "only the whole":
        sample = talks("overall")
        told = [signal("narrowing", "2020-02-01", "overall")]
    elif case == "still open":
        sample = sample.__class__(**{**vars(sample), "ended_on": None, "outcome": ""})
    elif case == "one day":
        sample = sample.__class__(**{**vars(sample), "ended_on": date(2020, 1, 1)})
        told = []
    signals = frame(*told)

    gaps = measure_gaps(signals, sample)
    whole = combine_gaps(gaps, sample)
    apart = measure_divergence(signals, sample)
    changes = vary_gaps(signals, sample)
    issue_id = sample.issues["issue_id"].iat[0]
    early, late = (explain_gap(signals, sample, issue_id, date(y, 2, 1)) for y in (2019, 2030))
    moves = pd.concat([explain_moves(signals, sample), early, late]).drop(columns="left")

    for rows in (gaps, whole, apart, moves, changes.drop(columns="on"), rank_issues(gaps, sample)):
        assert not rows.isna().any().any()
    for rows in (gaps, whole):
        assert (rows["gap_low"] <= rows["gap"]).all()
        assert (rows["gap"] <= rows["gap_high"]).all()
    assert len(gaps)


def test_reports_that_contradict_each_other_move_less_than_those_that_agree():
    agreed = frame(*[signal("narrowing", "2020-02-01", story=str(n)) for n in range(4)])
    torn = frame(
        *[
            signal("narrowing" if n % 2 else "widening", "2020-02-01", story=str(n))
            for n in range(4)
        ]
    )
    silent = reading(measure_gaps(frame(), talks()), "2020-02-01").gap

    moves = [
        abs(reading(measure_gaps(x, talks()), "2020-02-01").gap - silent) for x in (agreed, torn)
    ]

    assert moves[1] < moves[0] / 2


def test_the_worked_example_of_the_method_page_comes_out():
    page = (Path(__file__).resolve().parents[1] / "docs" / "method.md").read_text("utf-8")
    example = page.split("### A worked example")[1].split("###")[0]
    words = " ".join(example.split())
    table = [line.split("|")[1:-1] for line in example.splitlines() if line.startswith("| ")]
    rows = [[float(cell) for cell in row[1:]] for row in table[1:]]

    def stated(before):
        return float(words.split(before)[1].split()[0].rstrip(".,;"))

    belief = start()[:, :, None]
    for _ in range(31):
        belief = step(belief)
    believed = belief[:, :, 0]
    likelier = np.exp(say("narrowing", 0.9, 0.0)).reshape(believed.shape)
    after = believed * likelier
    exact = [
        (before.sum(), new.sum() / before.sum(), new @ GRID / new.sum())
        for before, new in zip(believed, after, strict=True)
    ]
    usual = (tell() * np.array([0.5, 0.25, 0.25])[None, :, None]).sum(axis=1).mean(axis=1)
    r = odds()[:, 0, -1]

    assert rows == [[round(float(each), 3) for each in row] for row in exact]
    told = np.array([row[0] * row[1] for row in rows])
    by_hand = told @ [gap for *_, gap in rows] / told.sum()
    gap = reading(measure_gaps(frame(signal("narrowing", "2020-02-01")), talks()), "2020-02-01").gap
    assert by_hand == pytest.approx(stated("the gap that day is"), abs=5e-4)
    assert gap == pytest.approx(stated("the gap that day is"), abs=5e-4)
    assert believed.sum(axis=0) @ GRID == pytest.approx(
        stated("Before the report it was"), abs=5e-4
    )
    for direction, chance in zip(("closed", "narrowing", "open", "widening"), usual, strict=True):
        assert chance == pytest.approx(stated(f"{direction} in"), abs=5e-4)
        place = ("closed", "narrowing", "open", "widening").index(direction)
        assert r[place] == pytest.approx(stated(f"r({direction}) ="), abs=5e-4)
        assert errors()[1, place] == pytest.approx(stated(f"e({direction}) ="), abs=5e-4)
    assert likelier[0, -1] == pytest.approx(stated("in all it becomes"), abs=1e-3)


def test_what_two_of_three_parties_say_counts_and_closes_less_than_what_all_say():
    three = replace(talks(), parties=("Canada", "Mexico", "US"))

    def after(parties, direction="closed"):
        gaps = measure_gaps(frame(signal(direction, "2020-02-01", talks=parties)), three)
        return reading(gaps, "2020-02-01")["gap"]

    untold = reading(measure_gaps(frame(), three), "2020-02-01")["gap"]
    assert after("Japan;US") == untold
    assert after("Mexico;US", "open") == after("Canada;Mexico;US", "open") != untold
    assert after("Canada;Mexico;US") < after("Mexico;US") < untold
