"""Who says a sentence, and for which side: one promise per way in which English attributes."""

from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from tradegap.coding.cues import read_rows
from tradegap.coding.parties import find_mentions
from tradegap.coding.sentences import split_sentences
from tradegap.coding.speakers import Source, find_sources
from tradegap.talks import read_parties

TALKS = ("Chile", "Peru")
ROJAS = Source("Ana Rojas", "Chile")
DIAZ = Source("Pablo Diaz", "Peru")
KNOWN = (
    "Chilean Trade Minister Ana Rojas met Pablo Diaz, Peru's chief negotiator, in Lima on Monday."
)


def sources_of(
    *paragraphs: str, title: str = "", talks: tuple[str, ...] = TALKS
) -> list[tuple[str, Source]]:
    """Return the sentences of a document with their sources."""
    text = "\n\n".join([title, *paragraphs] if title else paragraphs)
    blocks, start = [], 0
    for number, part in enumerate(text.split("\n\n")):
        kind = "title" if title and number == 0 else "text"
        blocks.append(SimpleNamespace(start=start, end=start + len(part), kind=kind))
        start += len(part) + 2
    sentences = split_sentences(text, tuple(blocks))
    found = find_sources(text, sentences, find_mentions(text), list(talks))
    return [(each.text, source) for each, source in zip(sentences, found, strict=True)]


def last_source(*paragraphs: str) -> Source:
    """Return the source of the last sentence of a document that first names Rojas and Diaz."""
    return sources_of(KNOWN, *paragraphs)[-1][1]


@pytest.mark.parametrize(
    "sentence",
    [
        "Rojas said the gap on wine was wide.",
        "The gap on wine was wide, Rojas told reporters on Friday.",
        "“The gap is wide,” said Rojas, who has led the talks since May.",
        "“The gap,” Rojas said, “is as wide as it was.”",
        "The gap on wine was wide, according to Rojas.",
        "In a statement, Rojas warned that the gap on wine was wide.",
        "Rojas was quoted by a radio station as saying the gap on wine was wide.",
        "Rojas, speaking after the talks, said the gap on wine was wide.",
        "Rojas sounded weary, saying the gap on wine was wide.",
        "It comes after Rojas said the gap on wine was wide.",
        "The offer on wine was dismissed by Rojas.",
        "Chile's minister Ana Rojas said Diaz had said the gap was closing.",
    ],
)
def test_the_person_of_the_outermost_attribution_is_the_speaker(sentence: str) -> None:
    assert last_source(sentence) == ROJAS


@pytest.mark.parametrize(
    "sentence",
    [
        "The talks broke down after Diaz said the gap was wide.",
        "The talks, which Diaz had said were going well, broke down.",
        "The talks broke down on Friday.",
    ],
)
def test_what_the_narrator_tells_has_no_source(sentence: str) -> None:
    assert last_source(sentence) == Source()


@pytest.mark.parametrize(
    ("sentence", "speaker"),
    [
        ("She said the gap on wine was wide.", ROJAS),
        ("He said the gap on wine was wide.", DIAZ),
        ("The minister said the gap on wine was wide.", ROJAS),
        ("Peru's negotiator said the gap on wine was wide.", DIAZ),
    ],
)
def test_pronouns_and_offices_are_carried_back_to_the_name(sentence: str, speaker: Source) -> None:
    before = "Ms Rojas and Mr Diaz said on Monday that they had met. Mr Diaz said he would go on."
    before += " Ms Rojas said she would, too."

    assert last_source(before, sentence) == speaker


def test_a_quotation_goes_on_over_sentences_and_paragraphs() -> None:
    found = sources_of(
        KNOWN,
        "“The gap is wide. We moved on timber,” Rojas said. “They did not.",
        "“We shall see. Nothing is agreed.”",
        "The talks go on.",
    )

    assert [source for _, source in found[1:]] == [ROJAS] * 5 + [Source()]


def test_single_quotation_marks_quote_and_apostrophes_do_not() -> None:
    found = sources_of(KNOWN, "Diaz said: 'Chile's gap is wide.", "'It isn't closing.'")

    assert [source for _, source in found[1:]] == [DIAZ, DIAZ]


def test_a_quotation_is_given_back_to_the_one_named_at_its_end() -> None:
    found = sources_of(KNOWN, "“The gap is wide. It is not closing,” Diaz said.")

    assert [source for _, source in found[1:]] == [DIAZ, DIAZ]


@pytest.mark.parametrize(
    ("sentence", "party"),
    [
        ("A Peruvian official said the gap was wide.", "Peru"),
        ("Officials in Santiago said the gap was wide.", "Chile"),
        ("Lima said the gap was wide.", "Peru"),
        ("The Peruvian side said the gap was wide.", "Peru"),
        ("A spokesman for Diaz said the gap was wide.", "Peru"),
        ("Both sides said the gap was wide.", "Chile;Peru"),
        ("Peru and Chile insisted that the gap was wide.", "Chile;Peru"),
        ("Chilean and Peruvian officials said the gap was wide.", "Chile;Peru"),
        ("Traders said the gap was wide.", "analyst"),
        ("Traders and delegates said the gap was wide.", ""),
        ("A former Peruvian minister said the gap was wide.", "observer"),
        ("The Wine Growers Federation said the gap was wide.", "observer"),
        ("The conference chairman said the gap was wide.", "chair"),
        ("Peru is adamant that it will not move.", "Peru"),
    ],
)
def test_an_unnamed_source_has_a_side(sentence: str, party: str) -> None:
    assert last_source(sentence) == Source("", party)


@pytest.mark.parametrize(
    "sentence",
    [
        "Peru announced new duties on wine.",
        "Peru is said to be weighing new duties on wine.",
        "Talks between Chile and Peru stalled.",
    ],
)
def test_what_a_government_does_is_told_by_the_narrator(sentence: str) -> None:
    assert last_source(sentence) == Source()


def test_they_and_the_officials_are_the_unnamed_source_before() -> None:
    found = sources_of(
        "Peruvian officials said the gap was wide. They said no talks were planned.",
        "The officials added that Chile had not moved.",
    )

    assert [source for _, source in found] == [Source("", "Peru")] * 3


def test_officials_without_a_country_are_those_of_the_dateline() -> None:
    found = sources_of("LIMA, March 3 - The gap on wine is wide, government officials said.")

    assert found[0][1] == Source("", "Peru")


@pytest.mark.parametrize(
    ("introduction", "side"),
    [
        ("Chile's Ana Rojas arrived.", "Chile"),
        ("Ana Rojas, the U.S. trade envoy, arrived.", "US"),
        ("Ana Rojas (Peru) arrived.", "Peru"),
        ("Ana Rojas of Peru arrived.", "Peru"),
        ("The chairman of the conference, Ana Rojas of Peru, arrived.", "chair"),
        ("Ana Rojas, an economist at a Peruvian bank, arrived.", "analyst"),
        ("Former Chilean minister Ana Rojas arrived.", "observer"),
        ("Ana Rojas accused Peru of stalling.", "Chile"),
        ("Pablo Diaz of Chile met his Peruvian counterpart Ana Rojas.", "Peru"),
    ],
)
def test_what_stands_beside_a_name_tells_the_side(introduction: str, side: str) -> None:
    found = sources_of("Chile and Peru met.", introduction, "Rojas said the gap was wide.")

    assert found[-1][1] == Source("Ana Rojas", side)


def test_a_member_of_a_bloc_speaks_for_it() -> None:
    found = sources_of(
        "The EC and Japan met. A British official said the EC would not move.",
        talks=("EU", "Japan"),
    )

    assert found[-1][1] == Source("", "EU")


def test_producers_and_consumers_of_a_commodity_are_its_sides() -> None:
    found = sources_of(
        "Coffee producers and consumers met. Producer delegates said quotas were far off.",
        "One consumer said no deal was near.",
        talks=("coffee consumers", "coffee producers"),
    )

    assert found[1][1] == Source("", "coffee producers")
    assert found[2][1] == Source("", "coffee consumers")


@pytest.mark.parametrize(
    ("title", "source"),
    [
        ("Rojas: gap on wine remains", ROJAS),
        ("Gap on wine remains, Rojas says", ROJAS),
        ("ROJAS SAYS GAP ON WINE REMAINS", ROJAS),
        ("PERU SAYS GAP ON WINE REMAINS", Source("", "Peru")),
        ("Gap on wine remains - traders", Source("", "analyst")),
        ("Chile and Peru fail to agree on wine", Source()),
    ],
)
def test_a_headline_names_its_source_before_or_behind(title: str, source: Source) -> None:
    assert sources_of(KNOWN, title=title)[0][1] == source


def test_a_label_names_the_speaker_of_its_paragraph() -> None:
    found = sources_of(
        "Grain Union President Eva Luna: “This is progress. We thank Peru.”",
        "The Wine Institute: “Progress at last.”",
    )

    assert [source for _, source in found] == [
        Source("Eva Luna", "observer"),
        Source("Eva Luna", "observer"),
        Source("", "observer"),
    ]


def test_a_joint_statement_is_said_by_both_and_a_fact_sheet_by_one() -> None:
    line = "Peru will cut duties on wine."

    joint = sources_of(line, title="Joint Statement of Chile and Peru on wine")
    sheet = sources_of(line, title="Fact Sheet: Peru and Chile agree, Peru wins")

    assert joint[-1][1] == Source("", "Chile;Peru")
    assert sheet[-1][1] == Source("", "Peru")


def test_a_digest_of_cuttings_is_read_inside_of_its_quotation_marks() -> None:
    found = sources_of(
        KNOWN,
        "“The gap is wide, Rojas said on Monday.”",
        "“Pablo Diaz said the gap was closing.”",
        "“Ministers said the talks go on.”",
        "“The talks broke down on Friday.”",
    )

    assert [source for _, source in found[1:]] == [ROJAS, DIAZ, found[3][1], Source()]


def test_nouns_titles_and_roles_are_well_formed() -> None:
    parties = set(read_parties()["party"])

    assert {row["number"] for row in read_rows("nouns.csv")} == {"one", "many"}
    assert {row["kind"] for row in read_rows("speech.csv")} == {"says", "announces", "threatens"}
    assert {row["role"] for row in read_rows("roles.csv")} == {"analyst", "chair", "observer"}
    assert {p for row in read_rows("titles.csv") for p in row["parties"].split(";")} <= parties


@pytest.mark.parametrize(
    "part",
    ["“No deal.\n\n", "\"'‘“ said ", "Minister Ana Rojas, ", "said Peru, ", "The minister said. "],
)
def test_any_input_takes_time_in_proportion_to_its_length(part: str) -> None:
    def seconds(times: int) -> float:
        start = time.process_time()
        sources_of(part * times)
        return time.process_time() - start

    seconds(50)

    assert seconds(4000) < 0.2 + 12 * seconds(1000)
