"""The cue files: each pattern finds its own example, and each weight has a sign to go with."""

from __future__ import annotations

import re

import pytest

from tradegap.coding.clauses import OPENS, VERBS
from tradegap.coding.cues import (
    DIRECTIONS,
    compile_pattern,
    read_cues,
    read_rows,
    read_weights,
    tokens,
)
from tradegap.coding.evidence import CROSSED, mark_sentences, show
from tradegap.coding.parties import find_mentions, mark
from tradegap.coding.sentences import split_sentences
from tradegap.documents import Block
from tradegap.errors import DataError
from tradegap.talks import read_issues, read_parties

FILES = {
    "issues.csv": "pattern",
    "pace.csv": "pattern",
    "forward.csv": "pattern",
    "contexts.csv": "pattern",
}


def marked(text: str) -> str:
    return tokens(mark(text, find_mentions(text), 0, len(text)))


@pytest.mark.parametrize("cue", read_cues(), ids=lambda cue: cue.name)
def test_a_cue_finds_its_example(cue) -> None:  # type: ignore[no-untyped-def]
    assert cue.pattern.search(marked(cue.example)), (cue.name, marked(cue.example))


@pytest.mark.parametrize("file", sorted(FILES))
def test_a_pattern_finds_its_example(file: str) -> None:
    for row in read_rows(file):
        pattern = compile_pattern(row[FILES[file]])

        assert pattern.search(marked(row["example"])), (file, row["example"])


def test_a_cue_silences_only_cues_that_exist() -> None:
    names = {cue.name for cue in read_cues()}

    assert all(cue.silences <= names for cue in read_cues())
    assert {cue.direction for cue in read_cues()} == {*DIRECTIONS, "blocker", "context"}


def test_issues_and_parties_of_the_cue_files_are_in_the_code_lists() -> None:
    issues, parties = set(read_issues()["issue_id"]), set(read_parties()["party"])

    assert {row["issue_id"] for row in read_rows("issues.csv")} <= issues
    assert {p for row in read_rows("titles.csv") for p in row["parties"].split(";")} <= parties


def test_every_weight_is_of_a_sign_that_sentences_can_show() -> None:
    text = "Joint statement of Chile and Peru.\n\nPeru will cut duties on wine. Talks go on."
    sentences = split_sentences(text, (Block(0, len(text), "text"),))

    shown = show(sentences, mark_sentences(text, sentences, find_mentions(text)))

    cues = {cue.name for cue in read_cues()}
    contexts = {
        name
        for name in read_weights()
        if name[0] not in "“[" and name not in cues and not name.endswith(", in a joint text")
    }
    kinds = {*OPENS.values(), *VERBS.values(), *CROSSED, "after a stop", "in the main clause"}
    kinds |= {"negated", "quoted", "told", "early", "late"}
    crossed = {f"{direction} {kind}" for direction in DIRECTIONS for kind in kinds}
    assert len(contexts - crossed) < 60
    assert {"always", "headline", "joint text", "open around"} <= contexts
    # A word or class outside the weights says nothing; most of what a sentence shows has a weight.
    assert all(sum(name in read_weights() for name in signs) > len(signs) / 3 for signs in shown)


def test_a_class_is_spelt_as_words_starts_of_words_or_phrases() -> None:
    for row in read_rows("classes.csv"):
        for entry in row["words"].split("|"):
            assert re.fullmatch(r"[a-z0-9#?][a-z0-9'’./-]*\*?( [a-z0-9'’-]+\*?)*", entry), (
                row,
                entry,
            )


def test_a_broken_pattern_is_refused_with_its_place() -> None:
    with pytest.raises(DataError, match=r"cues/x.csv:row 3: .*is no pattern"):
        compile_pattern("(no", "cues/x.csv:row 3")
    with pytest.raises(DataError, match="no word list 'nonsense'"):
        compile_pattern("{nonsense}", "cues/x.csv:row 4")
