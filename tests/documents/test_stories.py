"""Promises of the first stage about reprints."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date, timedelta

from tradegap.documents import Block, Document, cluster_stories
from tradegap.documents.blocks import mark, paragraphs

WORDS = (
    "The envoys of Freedonia and Sylvania parted on Monday without settling how many tons of rice "
    "may cross the river each year. Freedonia wants the quota lifted within three years, while its "
    "neighbour says that farmers in the valley would need twice as long to adapt to it. Both sides "
    "called the day useful and promised to return to the table before the harvest, when prices "
    "fall and tempers rise. The minister of trade said that cars and timber were no longer in "
    "dispute, though nobody has yet put that on paper."
)


def make(name: str, text: str, day: int = 4, **facts: str) -> Document:
    blocks = mark(text, paragraphs(text))
    published = date(2018, 5, 1) + timedelta(days=day - 1)
    return Document(name, name, text, published, "option", blocks=blocks, **facts)


def test_a_lightly_edited_reprint_is_the_same_story() -> None:
    first = make("a.txt", WORDS, publisher="Harbour Gazette")
    edited = (
        WORDS.replace("Monday", "Tuesday").replace("tempers", "voices").replace("useful", "good")
    )
    reprint = make("b.txt", edited, day=6)

    stories = cluster_stories([reprint, first]).set_index("document")

    assert stories["story"].to_list() == ["a.txt", "a.txt"]
    assert stories.loc["a.txt", "also_in"] == "b.txt"
    assert stories.loc["b.txt", "also_in"] == "Harbour Gazette"


def test_a_reprint_cut_short_is_the_same_story() -> None:
    cut = make("b.txt", WORDS[: len(WORDS) // 2])

    stories = cluster_stories([make("a.txt", WORDS), cut])

    assert stories["story"].nunique() == 1


def test_another_reporters_words_on_one_event_are_another_story() -> None:
    other = (
        "Talks between Sylvania and Freedonia broke up on Monday with the rice quota unsettled. "
        "The Freedonian side asked for an end to the quota within three years; Sylvanian farmers "
        "want six. The minister of trade said timber and cars were settled in all but writing."
    )

    stories = cluster_stories([make("a.txt", WORDS), make("b.txt", other)])

    assert stories["story"].to_list() == ["a.txt", "b.txt"]
    assert stories["also_in"].to_list() == ["", ""]


def test_short_notes_with_a_phrase_in_common_are_two_stories() -> None:
    notes = [
        make("a.md", "The envoys of Freedonia and Sylvania met again on Monday. Rice is open."),
        make("b.md", "The envoys of Freedonia and Sylvania met again on Monday. No day was named."),
    ]

    stories = cluster_stories(notes)

    assert stories["story"].nunique() == 2


def test_a_longer_story_that_quotes_a_short_one_is_another_story() -> None:
    filler = " ".join(
        f"Sentence number {n} tells something new about item {n * 7}." for n in range(60)
    )

    stories = cluster_stories(
        [make("a.txt", WORDS[:200]), make("b.txt", f"{WORDS[:200]} {filler}")]
    )

    assert stories["story"].nunique() == 2


def test_the_same_words_a_month_later_are_another_story() -> None:
    stories = cluster_stories([make("a.txt", WORDS), make("b.txt", WORDS, day=30)])

    assert stories["story"].nunique() == 2


def test_shared_furniture_does_not_make_a_story() -> None:
    furniture = "\n\nReaders' comments\n\n" + "\n".join(
        f"Rule {n}: be kind to you" for n in range(90)
    )
    blocks = (Block(0, 60, "text"), Block(62, 62 + len(furniture), "boilerplate"))
    one = replace(make("a.txt", f"{WORDS[:60]}{furniture}"), blocks=blocks)
    other = replace(make("b.txt", f"{WORDS[200:260]}{furniture}"), blocks=blocks)

    stories = cluster_stories([one, other])

    assert stories["story"].nunique() == 2


def test_the_same_bytes_under_two_names_are_one_row() -> None:
    copy = replace(make("a.txt", WORDS), name="copy.txt")

    stories = cluster_stories([make("a.txt", WORDS), copy])

    assert stories[["document", "also_in"]].to_numpy().tolist() == [["a.txt", "copy.txt"]]


def test_no_documents_give_an_empty_table() -> None:
    assert cluster_stories([]).empty


def test_the_order_of_the_documents_does_not_matter() -> None:
    documents = [make(f"{n}.txt", WORDS[n * 40 :], day=1 + n % 5) for n in range(8)]
    shuffled = random.Random(7).sample(documents, k=len(documents))

    assert cluster_stories(shuffled).equals(cluster_stories(documents))


def test_thousands_of_documents_take_seconds() -> None:
    draw = random.Random(3)
    vocabulary = [f"word{n}" for n in range(3000)]
    common = " ".join(WORDS.split()[:20])
    texts = [" ".join(draw.choices(vocabulary, k=200)) + f" {common}." for _ in range(1500)]
    documents = [make(f"{n}.txt", text, day=1 + n // 60) for n, text in enumerate(texts)]

    stories = cluster_stories([*documents, make("reprint.txt", texts[0], day=2)])

    assert stories["story"].nunique() == 1500
