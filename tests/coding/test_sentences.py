"""Sentences: exact offsets on anything, and no input that takes for ever."""

from __future__ import annotations

import time
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradegap.coding import code_document
from tradegap.coding.sentences import split_sentences
from tradegap.documents import Block, Document

WORDS = ("Talks", "the U.S.", "Mr. Rojas", "said", "“No deal,”", '"Yes."', "No.", "é", "👍", "’")
MARKS = ("?", "…", "- ", "\n", "\n\n", " ", "  ", "Jan. 3", "3.5", "(a) ", "•", "\t")
PIECES = st.sampled_from((*WORDS, *MARKS))


def whole(text: str) -> Document:
    return Document(
        "t.txt", "00" * 32, text, date(2021, 6, 9), "option", blocks=(Block(0, len(text), "text"),)
    )


@given(st.lists(PIECES, max_size=40).map(" ".join) | st.text(max_size=200))
@settings(deadline=None, max_examples=150)
def test_a_sentence_is_its_own_slice_of_the_text(text: str) -> None:
    sentences = split_sentences(text, (Block(0, len(text), "text"),))

    assert all(each.text == text[each.start : each.end] for each in sentences)
    assert all(a.end <= b.start for a, b in pairwise(sentences))


@given(st.lists(PIECES, max_size=30).map(" ".join))
@settings(deadline=None, max_examples=60)
def test_a_signal_is_its_own_slice_of_the_text(middle: str) -> None:
    text = f"Chile and Peru remain deadlocked over wine. {middle} Peru rejected the offer, he said."

    signals = code_document(whole(text))

    assert all(row.text == text[row.start : row.end] for row in signals.itertuples())


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Talks with the U.S. Trade team ended. No date was set.", 2),
        ("Mr. Rojas met Dr. Paz on Jan. 3 in Lima. They agreed.", 2),
        ("“We are close. But gaps remain,” she said.", 2),
        ("- Peru will cut duties. - Chile will open ports.", 2),
        ("Duties rose by 3.5 percent in Lima.", 1),
    ],
)
def test_abbreviations_and_figures_end_no_sentence(text: str, expected: int) -> None:
    assert len(split_sentences(text, (Block(0, len(text), "text"),))) == expected


def test_a_paragraph_wrapped_by_hand_is_one_paragraph() -> None:
    text = "Chile and Peru remain deadlocked\nover wine. No date\nwas set."

    sentences = split_sentences(text, (Block(0, len(text), "text"),))

    assert [each.text for each in sentences] == [
        "Chile and Peru remain deadlocked\nover wine.",
        "No date\nwas set.",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "The talks with Peru and the deal " * 8000,
        "“" * 10_000 + " the talks failed, he said.",
        '"the talks failed" ' * 10_000,
        "a" * 1_000_000,
        "the deal, " * 100_000,
        "No. " * 50_000,
        "Ana Rojas, " * 20_000 + "said the talks failed.",
        "the Peru Peru said " * 200 + ". The talks failed.",
        "(" * 20_000 + " the talks of Chile",
        "Ana Rojas Paz Lima " * 180 + "of the talks. " * 10_000,
        "the official " * 300 + "of the ministry. " + "he, " * 900 + "she. No deal.",
    ],
    ids=lambda text: text[:12],
)
def test_no_input_takes_for_ever(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tradegap.coding.is_english", lambda words: True)
    started = time.perf_counter()

    code_document(whole(text))

    assert time.perf_counter() - started < 20
