"""Any bytes at all: no crash, no hang, and a reason for whatever was not coded."""

from __future__ import annotations

import time
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradegap.coding import (
    code_document,
    code_documents,
    find_skipped,
    find_uncoded,
    is_english,
    read_prose,
)
from tradegap.documents import Block, Document
from tradegap.documents.reading import SUFFIXES, Option, read_bytes

DAY = date(2021, 6, 9)
LEAD = "Chile and Peru remain deadlocked over wine, and the talks are to go on in Lima. "
# Small pieces that, over and over, make a text that no one wrote.
PIECES = {
    "a letter": "a",
    "capitals": "A",
    "capitals apart": "A ",
    "initials": "A. ",
    "commas": ",",
    "opening brackets": "(",
    "digits": "7",
    "numbers": "3 ",
    "full stops": ".",
    "full stops apart": ". ",
    "question marks": "?",
    "quotation marks": "“",
    "straight quotation marks": '"',
    "apostrophes": "'",
    "blanks": " ",
    "lines": "\n",
    "paragraphs": "Talks ended\n\n",
    "lines wrapped by hand": "the talks of Chile\n",
    "items": "- a\n",
    "dashes": " – ",
    "right-to-left marks": "\u200f",
    "letters from right to left": "שלום ",
    "joiners": "\u200d",
    "accents": "e\u0301",
    "capitals with no small letter of one character": "İ",
    "a long s": "ſaid ",
    "no characters": "\ufffd",
    "said": "said ",
    "he said": "he said ",
    "names": "Ana Rojas, ",
    "names without commas": "Ana Rojas Paz ",
    "parties": "Peru ",
    "parties with titles": "Peru trade minister Rojas said ",
    "months": "May ",
    "weekdays": "on Monday ",
    "talks": "talks between Peru and Chile ",
    "ministers of ministers": "the minister of ",
    "tags": "<p>",
    "half a tag": "<div",
    "entities": "&amp;",
    "objects": '{"a":',
    "sentences": "No deal, the minister said. ",
    "quotations": "“No deal,” he said. ",
    "quotations that never end": "“No deal. ",
    "headings": "# ",
    "quotations of mail": "> ",
}


def whole(text: str) -> Document:
    return Document("t.txt", "00" * 32, text, DAY, "option", blocks=(Block(0, len(text), "text"),))


def taken(raw: bytes, suffix: str = ".txt") -> list[Document]:
    """Return the documents in some bytes; each that is not there has one line that says why."""
    documents, refused = read_bytes(raw, f"t{suffix}", option=Option(DAY, True))

    assert documents or refused
    assert all(line.startswith("t.") and "\n" not in line for line in refused)
    return documents


def coded(documents: list[Document]) -> None:
    """Code documents; each without a signal that is not English, or cut short, has its line."""
    signals = code_documents(documents)
    lines = [*find_uncoded(documents), *find_skipped(documents)]

    texts = {each.sha256: each.text for each in documents}
    assert all(row.text == texts[row.sha256][row.start : row.end] for row in signals.itertuples())
    assert all("\n" not in line for line in lines)


@given(st.binary(max_size=300), st.sampled_from(SUFFIXES))
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_coded_or_refused(raw: bytes, suffix: str) -> None:
    coded(taken(raw, suffix))


MIXED = st.lists(
    st.sampled_from([LEAD, *PIECES.values(), "\r", "\t", "\x0b", "\x1f", "\u2028", "\ufeff"])
    | st.text(max_size=8),
    max_size=30,
).map("".join)


@given(MIXED, st.sampled_from(SUFFIXES))
@settings(deadline=None, max_examples=200)
def test_any_text_is_coded_or_refused(text: str, suffix: str) -> None:
    coded(taken((LEAD + text).encode("utf-8", "surrogatepass"), suffix))


@given(st.lists(st.sampled_from(["utf-8", "cp1252", "utf-16-le", "shift_jis"]), max_size=4))
@settings(deadline=None, max_examples=30)
def test_mixed_encodings_are_coded_or_refused(encodings: list[str]) -> None:
    raw = b"\n\n".join(f"{LEAD} “No”, he said.".encode(each, "replace") for each in encodings)

    for suffix in SUFFIXES:
        coded(taken(raw, suffix))


@given(MIXED)
@settings(deadline=None, max_examples=200)
def test_any_sentences_are_coded(text: str) -> None:
    document = whole(f"{LEAD}{text}{LEAD}")

    signals = code_document(document)

    assert all(row.text == document.text[row.start : row.end] for row in signals.itertuples())


def seconds(text: str) -> float:
    read_prose.cache_clear()
    started = time.process_time()
    for document in taken(text.encode()) or [whole(text)]:
        code_document(document)
    return time.process_time() - started


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_a_longer_text_takes_longer_in_proportion(
    piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four times the text takes four times as long; were it the square, it would take sixteen."""
    monkeypatch.setattr("tradegap.coding.is_english", lambda words: True)
    length = 4_000

    def text(letters: int) -> str:
        return LEAD + (piece * (letters // len(piece) + 1))[:letters]

    while seconds(text(length)) < 0.1 and length < 1_000_000:
        length *= 4
    # Whatever else the machine does can only make it slower, so one good reading is enough.
    ratios = (
        seconds(text(4 * length)) / max(0.1, min(seconds(text(length)) for _ in range(2)))
        for _ in range(3)
    )

    assert length >= 1_000_000 or any(ratio < 9 for ratio in ratios)


@pytest.mark.parametrize("piece", ["the talks of Chile ", "Peru ", "“no” he said, ", "3 may be, "])
def test_many_sentences_of_the_greatest_length_take_a_while_each(
    piece: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tradegap.coding.is_english", lambda words: True)
    sentence = (piece * 400)[:3900] + ". "

    ratios = (
        seconds(LEAD + sentence * 16) / max(0.1, seconds(LEAD + sentence * 4)) for _ in range(3)
    )

    assert any(ratio < 9 for ratio in ratios)


def test_a_sentence_of_fifty_thousand_words_is_named_and_the_rest_is_coded() -> None:
    text = f"{LEAD}\n\n{'the talks go on and ' * 10_000}on.\n\nPeru rejected the offer, he said."
    documents = taken(text.encode())

    (line,) = find_skipped(documents)

    assert line.startswith(f"t.txt: a sentence at character {len(LEAD) + 2}, of 2000")
    assert find_uncoded(documents) == []
    starts = code_document(documents[0])["start"].tolist()
    assert starts
    assert all(start < len(LEAD) or start > 200_000 for start in starts)


@pytest.mark.parametrize("piece", PIECES.values(), ids=PIECES)
def test_a_megabyte_of_anything_is_read_and_has_its_reason(piece: str) -> None:
    text = piece * (1_000_000 // len(piece.encode()))

    started = time.process_time()
    documents, refused = read_bytes(text.encode(), "t.txt", option=Option(DAY, True))
    reasons = [*refused, *find_uncoded(documents), *find_skipped(documents)]

    assert time.process_time() - started < 120
    assert all(a.end <= b.start for each in documents for a, b in pairwise(each.blocks))
    assert reasons or is_english(text)
