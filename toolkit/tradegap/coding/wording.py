"""Second stage, beside the cues: the words of a sentence, and the classes they belong to.

Words, pairs and triples of words are signs by themselves; a class of cues/classes.csv (fear,
progress, refusal ...) lets a word that training never saw count like its kin.
"""

from __future__ import annotations

from functools import cache, lru_cache

from tradegap.coding.cues import read_rows

__all__ = ["show_wording"]

WORD, CLASS = 0.7, 0.8  # amounts: a single word says less than a cue


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


def show_wording(marked: str) -> dict[str, float]:
    """Return the words, pairs, triples and classes that a marked sentence shows, as signs.

    >>> sorted(show_wording(" no deal ").items())[:3]
    [('[deal]', 0.8), ('[fail]', 0.8), ('[neg]', 0.8)]
    """
    words = marked.split()
    classes = set().union(*map(classes_of, words))
    for at, begun in enumerate(map(phrases_of, words[:-1])):
        for name, parts in begun.get(words[at + 1][0], ()) if begun else ():
            if name not in classes and fits(parts, words[at : at + len(parts)]):
                classes.add(name)
    plain = [
        word
        if word[0].isalpha()
        else "@party"
        if word[0] == "@"
        else "#"
        if word[0].isdigit()
        else word
        for word in words
        if word not in ',";'
    ]
    signs = [
        *[f"“{one}”" for one in plain if len(one) > 1 or one in "?#"],
        *[f"“{one} {two}”" for one, two in zip(plain, plain[1:], strict=False)],
        *[
            f"“{one} {two} {three}”"
            for one, two, three in zip(plain, plain[1:], plain[2:], strict=False)
        ],
        *[f"“{one} … {three}”" for one, three in zip(plain, plain[2:], strict=False)],
    ]
    return dict.fromkeys([f"[{name}]" for name in classes], CLASS) | dict.fromkeys(signs, WORD)


def fits(parts: list[str], words: list[str]) -> bool:
    """Return whether words are those of a phrase, in which `*` ends a word start."""
    return len(parts) == len(words) and all(
        word.startswith(part[:-1]) if part.endswith("*") else word == part
        for part, word in zip(parts, words, strict=True)
    )
