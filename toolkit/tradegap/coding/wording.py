"""Second stage, beside the cues: the words of a sentence, and the classes they belong to.

Words, pairs and triples of words are signs by themselves; a class of cues/classes.csv (fear,
progress, refusal ...) lets a word that training never saw count like its kin.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import NamedTuple

from tradegap.coding.cues import read_rows

__all__ = ["CLASS", "WORD", "is_sign", "read_words", "show_wording"]

MOST_WORDS = 20_000
WORD, CLASS = 0.47, 0.5  # amounts: a word says less than a cue, and its class less still


@cache
def word_classes() -> tuple[
    dict[str, list[str]], dict[str, list[str]], dict[str, list[tuple[str, list[str]]]]
]:
    """Return the classes of whole words, of word starts, and of phrases by their first letters."""
    whole: dict[str, list[str]] = {}
    starts: dict[str, list[str]] = {}
    phrases: dict[str, list[tuple[str, list[str]]]] = {}
    for row in read_rows("classes.csv"):
        for entry in row["words"].split("|"):
            parts = entry.split()
            if len(parts) > 1:
                phrases.setdefault(parts[0][:3], []).append((row["word_class"], parts))
            elif entry.endswith("*"):
                starts.setdefault(entry[:-1], []).append(row["word_class"])
            else:
                whole.setdefault(entry, []).append(row["word_class"])
    return whole, starts, phrases


def classes_of(word: str) -> frozenset[str]:
    """Return the classes of one word.

    >>> sorted(classes_of("stalemate")), sorted(classes_of("12"))
    (['deadlock'], ['figures'])
    """
    whole, starts, _ = word_classes()
    found = set(whole.get(word, ()))
    for length in range(2, min(len(word), 16) + 1):
        found.update(starts.get(word[:length], ()))
    if word[0].isdigit():
        found.add("figures")
    if word[0] == "@":
        found.add("party")
    if word.endswith("n't"):
        found.add("neg")
    return frozenset(found)


def phrases_of(word: str) -> dict[str, list[tuple[str, list[str]]]]:
    """Return the phrases that begin with a word, by the first letter of their second word.

    >>> phrases_of("xylophone")
    {}
    """
    _, _, phrases = word_classes()
    begun: dict[str, list[tuple[str, list[str]]]] = {}
    for name, parts in phrases.get(word[:3], ()):
        if fits(parts[:1], [word]):
            begun.setdefault(parts[1][0], []).append((name, parts))
    return begun


def plain_of(word: str) -> str:
    """Return a word as signs name it: all parties alike, all numbers too; of some marks nothing.

    >>> plain_of("talks"), plain_of("@us"), plain_of("12.5"), plain_of(",")
    ('talks', '@party', '#', '')
    """
    return (
        "" if word in ',";' else "@party" if word[0] == "@" else "#" if word[0].isdigit() else word
    )


class Word(NamedTuple):
    """What is known of a word wherever it stands."""

    plain: str
    classes: frozenset[str]
    phrases: dict[str, list[tuple[str, list[str]]]]


class Vocabulary(dict[str, Word]):
    """The words met so far."""

    def __missing__(self, word: str) -> Word:
        """Take in a word; all are forgotten where they have become too many."""
        if len(self) >= MOST_WORDS:
            self.clear()
        self[word] = known = Word(plain_of(word), classes_of(word), phrases_of(word))
        return known


VOCABULARY = Vocabulary()


def read_words(marked: str) -> tuple[set[str], list[str]]:
    """Return the classes that a marked sentence shows, and its words as signs name them."""
    words = marked.split()
    known = [VOCABULARY[word] for word in words]
    classes: set[str] = set().union(*[classes for _, classes, _ in known if classes])
    for at, (_, _, phrases) in enumerate(known[:-1]):
        for name, parts in phrases.get(words[at + 1][0], ()) if phrases else ():
            if name not in classes and fits(parts, words[at : at + len(parts)]):
                classes.add(name)
    return classes, [plain for plain, _, _ in known if plain]


def is_sign(word: str) -> bool:
    """Return whether a word by itself is a sign: a letter or mark is none, but "?"."""
    return len(word) > 1 or word in "?#"


def show_wording(marked: str) -> dict[str, float]:
    """Return the words, pairs, triples and classes that a marked sentence shows, as signs.

    `Model.find_signs` finds the same, by their places.

    >>> sorted(show_wording(" no deal ").items())[:3]
    [('[deal]', 0.5), ('[fail]', 0.5), ('[neg]', 0.5)]
    """
    classes, words = read_words(marked)
    triples = list(zip(words, words[1:], words[2:], strict=False))
    signs = [
        *[f"“{one}”" for one in words if is_sign(one)],
        *[f"“{one} {two}”" for one, two in pairwise(words)],
        *[f"“{one} {two} {three}”" for one, two, three in triples],
        *[f"“{one} … {three}”" for one, _, three in triples],
    ]
    return dict.fromkeys([f"[{name}]" for name in classes], CLASS) | dict.fromkeys(signs, WORD)


def fits(parts: list[str], words: list[str]) -> bool:
    """Return whether words are those of a phrase, in which `*` ends a word start."""
    return len(parts) == len(words) and all(
        word.startswith(part[:-1]) if part.endswith("*") else word == part
        for part, word in zip(parts, words, strict=True)
    )
