"""Second stage, beside the cues: the words of a sentence, and the classes they belong to.

Words, pairs and triples of words are signs by themselves; a class of cues/classes.csv (fear,
progress, refusal ...) lets a word that training never saw count like its kin.
"""

from __future__ import annotations

from functools import cache, lru_cache

from tradegap.coding.cues import read_rows

__all__ = ["show_wording"]

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


@lru_cache(maxsize=20_000)
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


@lru_cache(maxsize=20_000)
def phrases_of(word: str) -> tuple[tuple[str, list[str]], ...]:
    """Return the phrases that begin with a word, each with its class.

    >>> phrases_of("xylophone")
    ()
    """
    _, _, phrases = word_classes()
    begun = phrases.get(word[:3], ())
    return tuple((name, parts) for name, parts in begun if fits(parts[:1], [word]))


def show_wording(marked: str) -> dict[str, float]:
    """Return the words, pairs, triples and classes that a marked sentence shows, as signs.

    >>> sorted(show_wording(" no deal ").items())[:3]
    [('[deal]', 0.5), ('[fail]', 0.5), ('[neg]', 0.5)]
    """
    words = marked.split()
    classes: set[str] = set()
    for at, word in enumerate(words):
        classes |= classes_of(word)
        for name, parts in phrases_of(word):
            if name not in classes and fits(parts, words[at : at + len(parts)]):
                classes.add(name)
    signs = {f"[{name}]": CLASS for name in classes}
    plain = [
        "@party" if word[0] == "@" else "#" if word[0].isdigit() else word
        for word in words
        if word not in ',";'
    ]
    padded = [*plain, "", ""]
    for first, second, third in zip(plain, padded[1:], padded[2:], strict=False):
        if len(first) > 1 or first in "?#":
            signs[f"“{first}”"] = WORD
        if second:
            signs[f"“{first} {second}”"] = WORD
        if third:
            signs[f"“{first} {second} {third}”"] = WORD
            signs[f"“{first} … {third}”"] = WORD
    return signs


def fits(parts: list[str], words: list[str]) -> bool:
    """Return whether words are those of a phrase, in which `*` ends a word start."""
    return len(parts) == len(words) and all(
        word.startswith(part[:-1]) if part.endswith("*") else word == part
        for part, word in zip(parts, words, strict=True)
    )
