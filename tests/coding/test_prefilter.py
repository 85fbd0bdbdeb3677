"""The prefilter: it spares searches and never loses a match."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tradegap.coding.cues import compile_pattern, read_cues, read_rows, tokens
from tradegap.coding.evidence import mark_sentences
from tradegap.coding.parties import find_mentions
from tradegap.coding.prefilter import MOST_CACHED, MOST_SENTENCES, ByWord, Prefilter, starts_of
from tradegap.coding.sentences import split_sentences
from tradegap.documents import load_documents

TALKS = Path(__file__).parents[2] / "data" / "talks"
FILES = ("direction.csv", "forward.csv", "pace.csv", "issues.csv")


@cache
def rows() -> tuple[dict[str, str], ...]:
    return tuple(row for file in FILES for row in read_rows(file))


@cache
def prefilter() -> Prefilter:
    return Prefilter([compile_pattern(row["pattern"]) for row in rows()])


@cache
def words() -> list[str]:
    """Return words that the patterns speak of, whole and cut, and words that they do not."""
    found = re.findall(r"[\w'-]+|[^\w\s]", " ".join(row["pattern"] for row in rows()))
    told = {each for row in rows() for each in tokens(row["example"]).split()}
    return sorted({*found, *(each + "ing" for each in found), *told, "@us", "7", "ſ", "İ"})


def notes() -> Iterator[str]:
    for folder in sorted(TALKS.iterdir()):
        for note in load_documents(folder, private=False):
            sentences = split_sentences(note.text, note.blocks)
            yield from mark_sentences(note.text, sentences, find_mentions(note.text))


def searched(marked: str, patterns: Prefilter) -> list[int]:
    found = ((at, pattern.search(marked)) for at, pattern in enumerate(patterns.patterns))
    return [at for at, match in found if match]


def test_no_match_is_lost_in_the_notes_on_record() -> None:
    marked = list(notes())

    assert len(marked) > 300
    for each in marked:
        assert list(prefilter().search(each)) == searched(each, prefilter())


@given(st.lists(st.sampled_from(words()), max_size=12), st.integers(0, 10_000))
@settings(deadline=None, max_examples=400)
def test_no_match_of_a_cue_is_lost_in_any_sentence(drawn: list[str], at: int) -> None:
    told = tokens(rows()[at % len(rows())]["example"]).split()
    half = len(drawn) // 2
    marked = f" {' '.join([*drawn[:half], *told, *drawn[half:]])} "

    assert list(prefilter().search(marked)) == searched(marked, prefilter())


@given(st.data(), st.integers(0, 10_000))
@settings(deadline=None, max_examples=400)
def test_whatever_a_cue_matches_has_one_of_its_starts(data: st.DataObject, at: int) -> None:
    pattern = prefilter().patterns[at % len(rows())]
    bare = re.sub(r"\(\?[<]?[!=](?:[^()]|\([^()]*\))*\)", "", pattern.pattern)
    marked = data.draw(st.from_regex(re.compile(bare, re.ASCII), fullmatch=True)) + " "

    if pattern.search(marked):
        assert at % len(rows()) in prefilter().candidates(marked)


# Patterns of a few letters, so that drawn sentences do match them.
PARTS = st.recursive(
    st.sampled_from(
        ["a", "b", "ab", " ", " a", "b ", r"\S*", "[ab]", "[^a]", "[a ]", "[^a ]", ".", r"\d", "a?"]
    ),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3).map("".join)
        | st.lists(inner, min_size=1, max_size=3).map(lambda each: f"(?:{'|'.join(each)})")
        | st.tuples(inner, st.sampled_from(["?", "*", "+", "{0,2}?", "{2}", "{1,2}"])).map(
            lambda each: f"(?:{each[0]}){each[1]}"
        )
        | inner.map(lambda each: f"(?<!{each[:1] if each[:1] in 'ab ' else 'a'})")
        | inner.map(lambda each: f"(?={each})")
        | inner.map(lambda each: f"({each})")
    ),
    max_leaves=8,
)


@given(PARTS, st.lists(st.text("ab c7", max_size=10), min_size=1, max_size=8))
@example(" (?:a|a b)(?: b)?(?= )", [" a b "])
@example(" (?:(?: a)?b){2}", [" a b bb ", " bb"])
@settings(deadline=None, max_examples=1500)
def test_no_match_of_any_pattern_is_lost(part: str, sentences: list[str]) -> None:
    for written in (part, f" (?:{part})(?= )"):
        try:
            pattern = re.compile(written)
        except re.error:
            continue
        for each in (*sentences, " ".join(sentences), f" {' '.join(sentences)} "):
            if pattern.search(each):
                assert Prefilter([pattern], ByWord()).candidates(each) == [0], (written, each)


def test_few_patterns_are_searched() -> None:
    marked = list(notes())

    looked = sum(len(prefilter().candidates(each)) for each in marked)

    assert looked < 0.08 * len(marked) * len(rows())
    assert sum(not starts_of(cue.pattern) for cue in read_cues()) <= 3


@pytest.mark.parametrize("written", [r"(?i) talks(?= )", r" (\w)\1(?= )", r" \S+(?= )"])
def test_a_pattern_that_tells_no_word_is_always_searched(written: str) -> None:
    pattern = re.compile(written)

    assert starts_of(pattern) == ()
    assert Prefilter([pattern], ByWord()).candidates("") == [0]


def test_what_is_kept_of_words_stays_small() -> None:
    patterns = Prefilter([re.compile(" no deal(?= )")], ByWord())

    for number in range(0, 3 * MOST_CACHED, 1000):
        patterns.candidates(" ".join(f"w{number + each}" for each in range(1000)))

    assert len(patterns.by_word) <= MOST_CACHED
    assert len(patterns.by_word.sentences) <= MOST_SENTENCES


def test_patterns_that_share_an_index_are_told_apart() -> None:
    shared = ByWord()
    few = Prefilter([re.compile(" no deal(?= )"), re.compile(r" \S+(?= )")], shared)

    assert few.candidates(" no deal ") == [0, 1]

    more = Prefilter([re.compile(" deal off(?= )"), re.compile(" no deal(?= )")], shared)

    assert few.candidates(" no deal ") == [0, 1]
    assert more.candidates(" no deal ") == [1]
    assert more.candidates(" the deal is off ") == [0]
