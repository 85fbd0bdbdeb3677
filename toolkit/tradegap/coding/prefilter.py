"""Second stage, beside the cues: which of many patterns a marked sentence could match at all.

From each pattern follow words, or beginnings of words, of which every match has at least one: often
two sets of them, from two places in the pattern. A sentence looks up its words, and only patterns
that they speak for, on both counts, are searched. Nothing is lost: what cannot be told of a pattern
makes it one that is always searched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, reduce
from itertools import product
from operator import or_
from typing import Any

__all__ = ["Prefilter", "starts_of"]

MOST_STARTS = 500  # words that one pattern may begin with; with more it is always searched
MOST_LETTERS = 12  # a set of letters that is followed letter by letter
MOST_CACHED = 10_000  # words
MOST_SETS = 3  # sets of starts that a sentence is held to
NEVER = 1e9
COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by for from had has have he in is it its no not of on or"
        " said that the their they this to was were will with would",
    )
)


@dataclass
class Path:
    """What is known of a match while its pattern is walked.

    `word` are the beginnings of the word that the match is in, None where it may be anywhere.
    `needed` are sets of starts, of words behind it, of each of which the match has one; a start
    that ends in a blank is a whole word.
    """

    word: frozenset[str] | None = None
    needed: list[frozenset[str]] = field(default_factory=list)
    has_left: bool = False  # the word that the match was in at first

    def close(self, end: str = "") -> None:
        """End the word that the match is in: it is needed."""
        if self.word is not None:
            self.need(frozenset(each + end for each in self.word))
        self.word, self.has_left = None, True

    def need(self, starts: frozenset[str] | None) -> None:
        """Take in that a match has one of these starts."""
        if starts and cost(starts) < NEVER:
            self.needed.append(starts)

    def rarest(self) -> frozenset[str] | None:
        """Return the needed starts that are met least often."""
        return min(self.needed, key=cost, default=None)


def cost(starts: frozenset[str]) -> float:
    """Return how often some starts are met, roughly; a start of no letter tells nothing.

    >>> cost(frozenset({"the "})) > cost(frozenset({"deadlock"}))
    True
    """
    if "" in starts or len(starts) > MOST_STARTS:
        return NEVER
    return sum(
        20.0 if each.strip() in COMMON else 1.0 if each.endswith(" ") else 30.0 / len(each) ** 2
        for each in starts
    )


@cache
def starts_of(pattern: re.Pattern[str]) -> tuple[frozenset[str], ...]:
    r"""Return sets of beginnings of words, of each of which a match of a pattern has one.

    They are at most two, the rarest first. A beginning that ends in a blank is a whole word; words
    are what blanks part.

    >>> pattern = re.compile(r" (?:no|few)(?: \S+)? (?:deal|hope\S*)(?= )")
    >>> [sorted(each) for each in starts_of(pattern)]
    [['deal ', 'hope'], ['few ', 'no ']]
    >>> starts_of(re.compile(r" \d+(?= )"))
    ()
    """
    if pattern.flags != re.UNICODE:
        return ()
    # The parser is CPython's own and moves between versions; what is not known to `walk` is a
    # pattern that is always searched.
    path = Path()
    try:
        walk(list(re._parser.parse(pattern.pattern)), path, False)  # type: ignore[attr-defined]
        path.close()
    except (AttributeError, NotImplementedError, RecursionError):
        return ()
    best: list[frozenset[str]] = []
    for starts in sorted(dict.fromkeys(path.needed), key=cost):
        # A set that another one implies ("talk", where "talks" is needed) tells nothing more.
        if not any(implies(each, starts) for each in best):
            best.append(starts)
    return tuple(best[:MOST_SETS])


def implies(some: frozenset[str], others: frozenset[str]) -> bool:
    """Return whether a word that begins with one of some starts begins with one of the others.

    >>> implies(frozenset({"talks "}), frozenset({"talk", "deal"}))
    True
    """
    return all(each.startswith(tuple(others)) for each in some)


def walk(nodes: Sequence[tuple[Any, Any]], path: Path, before_blank: bool) -> None:
    """Follow the parts of a pattern in order; `before_blank` is whether a blank follows them."""
    for at, (kind, value) in enumerate(nodes):
        match str(kind):
            case "LITERAL":
                if is_blank((kind, value)):
                    path.close(" ")
                    path.word = frozenset({""})
                elif path.word is not None:
                    path.word = extend(path, [chr(value)])
            case "IN" if any(is_blank(each) for each in value) and value[1:]:
                ways = [[each] if is_blank(each) else [(kind, [each])] for each in value]
                branch(ways, path, blank_follows(nodes[at + 1 :], before_blank))
            case "IN":
                letters = letters_of(value)
                if letters is None:
                    path.close()
                elif path.word is not None:
                    path.word = extend(path, letters)
            case "SUBPATTERN":
                _, on, off, inner = value
                if on or off:
                    raise NotImplementedError
                walk(list(inner), path, blank_follows(nodes[at + 1 :], before_blank))
            case "BRANCH":
                follows = blank_follows(nodes[at + 1 :], before_blank)
                branch([list(each) for each in value[1]], path, follows)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                low, high, inner = value
                follows = blank_follows(nodes[at:], before_blank)
                repeat(low, int(high), list(inner), path, follows)
            case "ANY" | "NOT_LITERAL":
                path.close()
            case "ASSERT" | "ASSERT_NOT" | "AT":
                if blank_follows(nodes[at:], before_blank) and path.word is not None:
                    # The word ends here; what follows in the pattern is a blank, or nothing.
                    path.need(frozenset(each + " " for each in path.word))
            case _:
                raise NotImplementedError


def is_blank(node: tuple[Any, Any]) -> bool:
    """Return whether a part of a pattern is a blank."""
    return str(node[0]) == "LITERAL" and bool(node[1] == ord(" "))


def extend(path: Path, letters: Sequence[str]) -> frozenset[str] | None:
    """Return the beginnings of the word with one more letter, which is any of these."""
    assert path.word is not None
    if len(path.word) * len(letters) > MOST_STARTS:
        path.close()
        return None
    return frozenset(a + b for a, b in product(path.word, letters))


def letters_of(parts: Sequence[tuple[Any, Any]]) -> list[str] | None:
    """Return the few letters that a set in brackets stands for, None where they are not told."""
    letters: list[str] = []
    for kind, value in parts:
        if str(kind) == "LITERAL":
            letters.append(chr(value))
        elif str(kind) == "RANGE" and value[1] - value[0] < MOST_LETTERS:
            letters += map(chr, range(value[0], value[1] + 1))
        else:
            return None
    is_plain = len(letters) <= MOST_LETTERS and not any(each.isspace() for each in letters)
    return letters if is_plain else None


def branch(branches: Sequence[list[tuple[Any, Any]]], path: Path, before_blank: bool) -> None:
    """Follow each of several ways through a pattern, and keep what holds in all of them."""
    ends = []
    for each in branches:
        end = Path(path.word)
        walk(each, end, before_blank)
        ends.append(end)
    path.word = join(each.word for each in ends)
    path.has_left |= path.word is None or any(each.has_left for each in ends)
    if path.has_left:
        for end in ends:
            if end.word is not None:
                end.need(frozenset(word + " " * before_blank for word in end.word))
        needs = [rarest for each in ends if (rarest := each.rarest()) is not None]
        if len(needs) == len(ends):
            path.need(frozenset().union(*needs))


def repeat(
    low: int, high: int, inner: list[tuple[Any, Any]], path: Path, before_blank: bool
) -> None:
    """Follow a part that may stand there several times, or not at all."""
    once = Path(path.word)
    walk(inner, once, False)
    is_told = high == 1 or once.word == frozenset({""})
    if low:
        # It stands there at least once: what that one needs is needed.
        if once.word is not None and not is_told:
            once.need(once.word)
        path.needed += once.needed
    elif path.word is not None and (once.has_left or not is_told):
        path.need(frozenset(each + " " * before_blank for each in path.word))
    path.word = join([once.word] if low else [path.word, once.word]) if is_told else None
    path.has_left |= once.has_left or path.word is None


def join(words: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    """Return the beginnings of a word by any of several ways; None where they are not told."""
    joined: frozenset[str] = frozenset()
    for each in words:
        if each is None:
            return None
        joined |= each
    return joined if len(joined) <= MOST_STARTS else None


def blank_follows(nodes: Sequence[tuple[Any, Any]], before_blank: bool) -> bool:
    """Return whether what stands before some parts of a pattern is followed by a blank for sure."""
    if not nodes:
        return before_blank
    (kind, value), rest = nodes[0], nodes[1:]
    match str(kind):
        case "LITERAL":
            return is_blank(nodes[0])
        case "SUBPATTERN":
            return blank_follows(list(value[3]), blank_follows(rest, before_blank))
        case "BRANCH":
            after = blank_follows(rest, before_blank)
            return all(blank_follows(list(each), after) for each in value[1])
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            low, _, inner = value
            return blank_follows(list(inner), False) and (
                bool(low) or blank_follows(rest, before_blank)
            )
        case "ASSERT":
            direction, inner = value
            return direction > 0 and blank_follows(list(inner), False)
        case _:
            return False


class ByWord(dict[str, int]):
    """The patterns that each word met so far speaks for, a bit each."""

    def __init__(self) -> None:
        """Begin without words."""
        self.by_start: dict[str, int] = {}
        self.longest = 0

    def speak(self, start: str, bit: int) -> None:
        """Take in that words that begin so speak for a pattern."""
        self.by_start[start] = self.by_start.get(start, 0) | bit
        self.longest = max(self.longest, len(start))

    def __missing__(self, word: str) -> int:
        """Look up a word that is new; all are forgotten where they have become too many."""
        whole, found = word + " ", 0
        for length in range(1, min(len(whole), self.longest) + 1):
            found |= self.by_start.get(whole[:length], 0)
        if len(self) >= MOST_CACHED:
            self.clear()
        self[word] = found
        return found


@dataclass
class Prefilter:
    """The patterns of a cue file, ready to be looked up by the words of a sentence.

    >>> talks = Prefilter([re.compile(" no deal(?= )"), re.compile(" talks stall\\\\S*(?= )")])
    >>> talks.candidates(" the talks stalled . ")
    [1]
    """

    patterns: Sequence[re.Pattern[str]]
    always: int = 0  # a bit for each pattern, and behind them one more for its second set
    by_word: ByWord = field(default_factory=ByWord)

    def __post_init__(self) -> None:
        """Index the patterns by the words that speak for them."""
        count = len(self.patterns)
        for number, pattern in enumerate(self.patterns):
            sets = starts_of(pattern)
            for place in range(MOST_SETS):
                bit = 1 << (number + place * count)
                if place >= len(sets):
                    self.always |= bit
                    continue
                for each in sets[place]:
                    self.by_word.speak(each, bit)

    def candidates(self, marked: str) -> list[int]:
        """Return the numbers of the patterns that a sentence could match, in order."""
        count = len(self.patterns)
        found = reduce(or_, map(self.by_word.__getitem__, marked.split(" ")), self.always)
        for _ in range(1, MOST_SETS):
            found &= found >> count
        found &= (1 << count) - 1
        numbers = []
        while found:
            lowest = found & -found
            numbers.append(lowest.bit_length() - 1)
            found ^= lowest
        return numbers

    def search(self, marked: str) -> dict[int, re.Match[str]]:
        """Return the first match of each pattern that a sentence shows, by the pattern's number."""
        found = {each: self.patterns[each].search(marked) for each in self.candidates(marked)}
        return {number: match for number, match in found.items() if match}
