"""What the coder makes of sentences of our own, one promise per phenomenon of the code book."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date

import pandas as pd
import pytest

from tradegap.coding import (
    Model,
    code_document,
    code_documents,
    find_skipped,
    is_english,
    iter_signals,
    to_json,
)
from tradegap.coding.cues import (
    DIRECTIONS,
    find_confidence,
    read_confidence,
    read_thresholds,
    read_weights,
)
from tradegap.coding.issues import KINDS
from tradegap.documents import Block, Document

LEAD = "Chilean and Peruvian ministers met in Lima on Wednesday for trade talks. "


def note(text: str, *, title: str = "", published: date = date(2021, 6, 9)) -> Document:
    """Return a document of one title and one block per paragraph."""
    whole = f"{title}\n\n{text}" if title else text
    blocks, start = [], 0
    for number, part in enumerate(whole.split("\n\n")):
        kind = "title" if title and number == 0 else "text"
        blocks.append(Block(start, start + len(part), kind))
        start += len(part) + 2
    return Document(
        "note.txt", "ab" * 32, whole, published, "option", title=title, blocks=tuple(blocks)
    )


def signals_of(sentence: str) -> pd.DataFrame:
    """Return the signals of one sentence that follows a lead on talks."""
    coded = code_document(note(LEAD + sentence))
    return coded[coded["start"] >= len(LEAD)]


def directions_of(sentence: str) -> set[str]:
    return set(signals_of(sentence)["direction"])


@pytest.mark.parametrize(
    "sentence",
    [
        "The two countries hope to narrow their differences over wine to seal an early deal.",
        "The two sides are trying to bridge the gap over dairy quotas.",
    ],
)
def test_a_purpose_does_not_narrow_the_gap(sentence: str) -> None:
    directions = directions_of(sentence)

    assert directions == {"open"}


def test_a_gap_that_was_narrowed_is_narrowing() -> None:
    directions = directions_of("Differences over dairy have been narrowed, the Chilean envoy said.")

    assert directions == {"narrowing"}


@pytest.mark.parametrize(
    "sentence",
    [
        "The talks made little headway on fish.",
        "No breakthrough was reached in the negotiations on fish.",
        "Slow progress in the talks on fish has frustrated both sides.",
    ],
)
def test_hope_denied_is_open_and_stalled(sentence: str) -> None:
    signals = signals_of(sentence)

    assert set(signals["direction"]) == {"open"}
    assert set(signals["pace"]) == {"stalled"}


@pytest.mark.parametrize(
    "sentence",
    [
        "Peru rejected the Chilean proposal on wine.",
        "Chile said it will not accept lower tariffs on wine.",
        "Peru ruled out any new quota for Chilean wine.",
    ],
)
def test_a_refusal_is_open(sentence: str) -> None:
    assert "open" in directions_of(sentence)


def test_a_demand_with_the_other_sides_refusal_is_open_on_its_issue() -> None:
    signals = signals_of(
        "Chile, for its part, wants Peru to cut tariffs on textiles, something Lima is reluctant"
        " to do."
    )

    assert set(signals["direction"]) == {"open"}
    assert set(signals["issues"]) == {"industrial_goods"}


def test_an_agreement_reached_is_closed() -> None:
    assert "closed" in directions_of("The two countries have reached an agreement on dairy.")


def test_an_accusation_of_going_back_on_a_pledge_is_widening() -> None:
    assert "widening" in directions_of(
        "Peru accused Chile of reneging on its commitment to open the wine market."
    )


def test_a_sentence_that_says_two_things_gives_two_signals_on_one_span() -> None:
    signals = signals_of(
        "Negotiators made significant progress on wine, but differences on sugar remain and no"
        " agreement is in sight."
    )

    assert {"narrowing", "open"} <= set(signals["direction"])
    assert signals[["start", "end"]].drop_duplicates().shape[0] == 1


@pytest.mark.parametrize(
    "sentence",
    [
        "The trade gap narrowed to 3 billion dollars in May as exports grew.",
        "Will they agree on wine?",
        "The firm makes shoes in a small town.",
    ],
)
def test_trade_data_questions_and_other_matters_are_no_signal(sentence: str) -> None:
    assert directions_of(sentence) <= {"none"}


def test_talks_with_others_are_not_taken_for_the_documents_own() -> None:
    text = (
        "Peru's trade minister met his Chilean counterpart in Lima. Peru and Chile differ on wine."
        " Separate talks with Brazil and Japan have made little headway, and Peru is keen on a deal"
        " with Chile."
    )

    signals = code_document(note(text))
    elsewhere = signals[signals["text"].str.startswith("Separate")]

    assert set(elsewhere["talks"]) == {"Brazil;Peru", "Japan;Peru"}
    assert set(elsewhere["direction"]) == {"open"}


def test_narrowing_inside_one_side_is_within() -> None:
    signals = signals_of(
        "Member states among themselves made progress on wine quotas, an envoy said."
    )

    assert set(signals["scope"]) == {"within"}


def test_he_and_a_quotation_that_goes_on_are_carried_back_to_the_name() -> None:
    text = (
        "Chilean Trade Minister Ana Rojas said on Wednesday that differences on wine remain.\n\n"
        "“The gaps on sugar are still wide. But we made good progress on timber,” Rojas said.\n\n"
        "She said a deal with Peru was still possible."
    )

    signals = code_document(note(text))

    assert set(signals["speaker"]) == {"Ana Rojas"}
    assert set(signals["party"]) == {"Chile"}


def test_an_unnamed_official_has_a_side_and_no_name() -> None:
    signals = signals_of("A Peruvian official said the differences on wine remain wide.")

    assert set(signals["speaker"]) == {""}
    assert set(signals["party"]) == {"Peru"}


@pytest.mark.parametrize(
    ("sentence", "day"),
    [
        ("They will meet again on Thursday for further talks.", "2021-06-10"),
        ("Chile and Peru will hold talks on June 21 in Santiago.", "2021-06-21"),
        ("The next round of talks is due to begin in late September.", "2021-09"),
        ("A summit of the two leaders is expected this weekend.", "2021-06-12"),
        ("The negotiators will meet again in two weeks in Lima.", "2021-06-23"),
        ("No date was set for another round of talks.", ""),
    ],
)
def test_what_lies_ahead_is_dated_against_the_event(sentence: str, day: str) -> None:
    signals = signals_of(sentence)

    assert (signals["forward_text"] != "").all()
    assert set(signals["forward_date"]) == {day}


def test_the_event_is_dated_from_the_lead() -> None:
    signals = code_document(
        note("The minister said on Tuesday that differences with Peru over wine remain wide.")
    )

    assert set(signals["event_date"]) == {pd.Timestamp(2021, 6, 8)}


def test_a_title_is_coded_and_marked_as_one() -> None:
    signals = code_document(note(LEAD, title="Chile and Peru talks end in deadlock over wine"))

    assert signals[signals["headline"]]["direction"].tolist() == ["open"]


def test_items_of_a_joint_statement_are_closed_and_said_by_both() -> None:
    text = (
        "Joint Statement of Chile and Peru on a framework agreement\n\n"
        "- Peru will eliminate tariffs on all Chilean wine.\n\n"
        "- Chile commits to remove licensing requirements on Peruvian textiles."
    )

    signals = code_document(note(text))
    items = signals[signals["text"].str.startswith("-")]

    assert set(items["direction"]) == {"closed"}
    assert set(items["party"]) == {"Chile;Peru"}


@pytest.mark.parametrize("kind", ["caption", "boilerplate"])
def test_captions_and_boilerplate_are_not_coded(kind: str) -> None:
    text = "Chile and Peru remain deadlocked over wine."
    document = Document(
        "n.txt", "cd" * 32, text, date(2021, 6, 9), "option", blocks=(Block(0, len(text), kind),)
    )

    assert code_document(document).empty


def test_a_text_that_is_not_english_gives_nothing() -> None:
    text = "Die Gespräche zwischen Chile und Peru sind ohne Ergebnis beendet worden, sagte sie."

    assert not is_english(text)
    assert code_document(note(text)).empty


def test_talks_fall_back_on_those_given_where_the_text_names_no_pair() -> None:
    signals = code_document(
        note("The ministers said that wide differences on wine remain."), talks=("Chile", "Peru")
    )

    assert set(signals["talks"]) == {"Chile;Peru"}


def test_documents_are_coded_together_and_none_gives_an_empty_table() -> None:
    first = note("Chile and Peru remain deadlocked over wine.")

    both = code_documents([first, first])

    assert len(both) == len(code_document(first))
    assert code_documents([]).empty


def test_every_direction_explains_itself_by_cues_with_weights() -> None:
    signals = signals_of("The talks made little headway on fish.")

    line = json.loads(to_json(signals.iloc[0]))

    assert any(part["cue"] == "no progress" and part["weight"] > 0 for part in line["why"])
    assert 0 < line["confidence"] < 1


def test_a_json_line_has_lists_and_nulls() -> None:
    signals = signals_of("They will meet again on Thursday for further talks on wine.")

    line = json.loads(to_json(signals.iloc[0]))

    assert line["issues"] == ["agriculture"]
    assert line["talks"] == ["Chile", "Peru"]
    assert line["speaker"] is None
    assert line["forward"]["date"] == "2021-06-10"
    assert line["published"] == "2021-06-09"
    assert line["text"] == note(LEAD + signals.iloc[0]["text"]).text[line["start"] : line["end"]]


def test_words_on_pace_and_what_lies_ahead_are_given_as_they_stand() -> None:
    text = (
        "Peru's Trade Minister Ana Diaz said the talks with Chile had made Little Headway. The two"
        " sides will meet again in Lima on Friday before the APEC summit, Diaz said."
    )

    signals = code_document(note(text))

    assert "Little Headway" in set(signals["pace_text"])
    ahead = signals.loc[signals["forward_text"] != "", "forward_text"].tolist()
    assert ahead == ["will meet again in Lima on Friday before the APEC summit"]


def test_a_document_filed_under_a_negotiation_is_about_its_parties() -> None:
    text = "Washington sees gaps with Ottawa. Brussels and Washington remain far apart on cars."

    signals = code_document(note(text), talks=("EU", "US"))

    assert "EU;US" in set(signals["talks"])
    assert all(len(talks.split(";")) == 2 for talks in signals["talks"])


def test_the_frames_that_come_one_after_another_are_the_table_of_all_documents() -> None:
    documents = [note(LEAD + f"Gaps remain over {goods}.") for goods in ("wine", "beef", "steel")]
    documents = [replace(each, sha256=f"{n:064}") for n, each in enumerate(documents)]

    frames = list(iter_signals([*documents, documents[0]], documents_at_once=2))

    assert len(frames) == 2
    whole = pd.concat(frames, ignore_index=True)
    pd.testing.assert_frame_equal(whole, code_documents(documents))
    assert list(iter_signals([])) == []


def test_documents_are_taken_as_they_are_coded_and_not_held() -> None:
    taken = []

    def source() -> Iterator[Document]:
        for number in range(10):
            taken.append(number)
            yield replace(note(LEAD), sha256=f"{number:064}")

    next(iter_signals(source(), documents_at_once=3))

    assert taken == [0, 1, 2]


def test_what_is_too_long_for_a_sentence_is_named_with_its_place() -> None:
    table = "rice 3 tonnes of wheat " * 300
    text = f"{LEAD}\n\n{table}\n\nPeru rejected the offer, he said."

    (line,) = find_skipped([note(text), note(LEAD)])

    assert line == (
        f"note.txt: a sentence at character {text.index('rice')}, of {len(table) - 1} characters;"
        " what has more than 4000 is no sentence and is not coded"
    )
    assert find_skipped([note(f"{table}\n\n{table}")])[0].startswith("note.txt: 2 sentences, the f")
    assert "open" in set(code_document(note(text))["direction"])


def test_the_numbers_of_a_model_take_the_place_of_those_that_ship() -> None:
    story = note("Talks on beef have stalled. The ministers will meet again in Tokyo on 21 June.")
    never = dict.fromkeys(KINDS, 0.0) | {"sector": -9.0}
    silent = Model(
        read_weights(),
        read_thresholds(),
        issues={"always": never},
        forward={"always": -9.0},
        pace={"always": -9.0},
    )

    shipped, coded = code_document(story), code_document(story, model=silent)

    assert (shipped["forward_text"] != "").any()
    assert (shipped["pace"] == "stalled").any()
    assert shipped["issues"].str.contains("agriculture").any()
    assert (coded["forward_text"] == "").all()
    assert (coded["pace"] == "none").all()
    assert not coded["issues"].str.contains("agriculture").any()


@pytest.mark.parametrize(
    ("direction", "sentence"),
    [
        ("widening", "The offer of a larger quota is no longer on the table, the envoy said."),
        ("widening", "Peru failed to honour the pact on copper, the Chilean minister said."),
        ("widening", "The duty leaves Chile no option but to react, its minister warned."),
        ("open", "Lima is adamant that fish stay out of the talks."),
        ("open", "Their visit will do nothing to change minds in Lima, officials said."),
        ("narrowing", "Chile adopted the rules in the hope of heading off a trade war with Peru."),
        ("narrowing", "Chile's mills plan to boost imports from Peru."),
        ("narrowing", "Peru gave Chile another chance to settle the dispute."),
        ("narrowing", "Fears of a trade war are overblown, the Peruvian minister said."),
        ("narrowing", "We agreed to put the waiver on the table, the Chilean minister said."),
        ("closed", "We thank both teams for the agreement on wine, the growers said."),
        ("closed", "The pact ends a decade of disputes over salmon."),
    ],
)
def test_what_is_said_in_other_words_is_heard(direction: str, sentence: str) -> None:
    directions = directions_of(sentence)

    assert directions == {direction}


def test_confidence_rises_with_the_chance_of_each_direction() -> None:
    curves = read_confidence()

    assert set(curves) == set(DIRECTIONS)
    for curve in curves.values():
        told = [find_confidence(chance, curve) for chance in (0.0, 0.1, 0.3, 0.5, 0.8, 1.0)]
        assert told == sorted(told)
        assert all(0 <= each <= 1 for each in told)
