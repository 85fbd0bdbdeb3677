"""Second stage, beside the cues: which of many patterns a marked sentence could match at all.

From each pattern follow words, or beginnings of words, of which every match has at least one: often
two or three sets of them, from several places in the pattern. A sentence looks up its words, once
for all cue files, and only patterns that they speak for, on all counts, are searched. Nothing is
lost: what cannot be told of a pattern makes it one that is always searched.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache, reduce
from itertools import chain, groupby, product, starmap
from operator import or_
from typing import Any

__all__ = ["ByWord", "Prefilter", "starts_of"]

MOST_SPELLINGS = 500  # of a part of a pattern; with more it is told in two parts, or not at all
MOST_LETTERS = 12  # a set of letters that is spelt letter by letter
MOST_CACHED = 10_000  # words
MOST_SENTENCES = 1_000  # looked up lately
MOST_SETS = 3  # sets of starts that a sentence is held to
NEVER = 1e9
ANY = "\0"  # in a spelling: any text, or none
ANYTHING = frozenset({ANY})
BLANK_FOLLOWS = "\1"  # in a spelling: here a word ends
WORD = re.compile(f"(?<= )[^ {ANY}]+ ?")
COMMON = frozenset(
    re.findall(
        r"\w+",
        "a an and are as at be been but by for from had has have he in is it its no not of on or"
        " said that the their they this to was were will with would",
    )
)


@cache
def cost_of(start: str) -> float:
    """Return how often words are met that begin so, roughly; a blank ends a whole word.

    >>> cost_of("the ") > cost_of("deadl") > cost_of("deadlock ")
    True
    """
    return 20.0 if start.strip() in COMMON else 1.0 if start[-1] == " " else 30 / len(start) ** 2


def cost(starts: Collection[str]) -> float:
    """Return how often any of some starts is met."""
    return sum(map(cost_of, starts)) if len(starts) <= MOST_SPELLINGS else NEVER


@cache
def starts_of(pattern: re.Pattern[str]) -> tuple[frozenset[str], ...]:
    r"""Return sets of beginnings of words, of each of which a match of a pattern has one.

    They are at most three, the rarest first. A beginning that ends in a blank is a whole word;
    words are what blanks part.

    >>> pattern = re.compile(r" (?:no|few)(?: \S+)? (?:deal|hope\S*)(?= )")
    >>> [sorted(each) for each in starts_of(pattern)]
    [['deal ', 'hope'], ['few ', 'no ']]
    >>> starts_of(re.compile(r" \d+(?= )"))
    ()
    """
    if pattern.flags != re.UNICODE:
        return ()
    # The parser is CPython's own and moves between versions; what is not known to `spell` makes a
    # pattern that is always searched.
    try:
        parts = spell(re._parser.parse(pattern.pattern))  # type: ignore[attr-defined]
    except (AttributeError, NotImplementedError, RecursionError):
        return ()
    needed = [each for part in parts for each in needed_by(part)]
    best: list[frozenset[str]] = []
    for starts in sorted(needed, key=cost):
        # A set that another one implies ("talk", where "talks" is needed) tells nothing more.
        if not any(all(one in starts or begins(one, starts) for one in each) for each in best):
            best.append(starts)
    return tuple(best[:MOST_SETS])


def needed_by(spellings: frozenset[str]) -> list[frozenset[str]]:
    """Return sets of starts, of each of which a text spelt in one of these ways has one.

    >>> [sorted(each) for each in needed_by(frozenset({" no deal ", " no hope\\0"}))]
    [['deal ', 'hope'], ['no ']]
    """
    told = {tuple(WORD.findall(each.replace(BLANK_FOLLOWS, " "))) for each in spellings}
    if not all(told):
        return []
    # The rarest word of each, or the words at one place from the left or the right.
    sets = [{min(words, key=lambda word: (cost_of(word), word)) for words in told}]
    for place in range(2):
        sets.append({words[min(place, len(words) - 1)] for words in told})
        sets.append({words[max(-1 - place, -len(words))] for words in told})
    # "Talks" needs no looking up beside "talk".
    pruned = [frozenset(each for each in own if not begins(each, own)) for own in sets]
    return [each for each in dict.fromkeys(pruned) if cost(each) < NEVER]


def begins(word: str, starts: Collection[str]) -> bool:
    """Return whether a word begins with one of some starts that is shorter.

    >>> begins("talks ", {"talk", "deal"}), begins("talks ", {"talks "})
    (True, False)
    """
    return any(word[:length] in starts for length in range(1, len(word)))


def spell(nodes: Iterable[tuple[Any, Any]]) -> list[frozenset[str]]:
    """Return how the parts of a pattern are spelt that follow one another: mostly it is one part.

    >>> [sorted(each) for each in spell(re._parser.parse("(?:no|any) deals?"))]
    [['any deal', 'any deals', 'no deal', 'no deals']]
    """
    parts = [frozenset({""})]
    runs = groupby(nodes, key=lambda node: str(node[0]) == "LITERAL")
    spelt = (
        [[frozenset({"".join(chr(letter) for _, letter in run)})]]
        if is_literal
        else starmap(spell_node, run)
        for is_literal, run in runs
    )
    for first, *more in chain.from_iterable(spelt):
        if len(parts[-1]) * len(first) > MOST_SPELLINGS:
            # Told in two parts: the second begins with what the first has of the word between.
            tails = frozenset(each[max(0, each.rfind(" ")) :] for each in parts[-1])
            tails = frozenset(each if each[:1] == " " else ANY for each in tails)
            if all(each[:1] in (" ", BLANK_FOLLOWS) for each in first):
                parts[-1] = frozenset(each + BLANK_FOLLOWS for each in parts[-1])
            parts.append(tails if len(tails) * len(first) <= MOST_SPELLINGS else ANYTHING)
        pairs = product(parts[-1], first)
        parts[-1] = frozenset((a + b).replace(ANY + ANY, ANY) for a, b in pairs)
        parts += more
    return parts


def spell_node(kind: Any, value: Any) -> list[frozenset[str]]:
    """Return how one node of a pattern that is no letter is spelt, as `spell` does."""
    match str(kind):
        case "IN":
            return [letters_of(value)]
        case "SUBPATTERN":
            _, on, off, inner = value
            if on or off:
                raise NotImplementedError
            return spell(inner)
        case "BRANCH":
            return [union(as_one(spell(each)) for each in value[1])]
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            low, high, inner = value
            once = as_one(spell(inner))
            ways = [once] if low else [frozenset({""}), once]
            if high > 1:
                firsts = [each for each in once if not each.endswith(ANY)]
                ways.append(frozenset(a + ANY + b for a, b in product(firsts, once)))
            return [union(ways)]
        case "ANY" | "NOT_LITERAL":
            return [ANYTHING]
        case "ASSERT":
            direction, inner = value
            is_blank = direction > 0 and list(map(str, inner)) == [f"(LITERAL, {ord(' ')})"]
            return [frozenset({BLANK_FOLLOWS * is_blank})]
        case "ASSERT_NOT" | "AT":
            return [frozenset({""})]
        case _:
            raise NotImplementedError


def as_one(parts: list[frozenset[str]]) -> frozenset[str]:
    """Return what is told of parts that follow one another, as ways to spell all of them."""
    best = min(parts, key=lambda part: min(map(cost, needed_by(part)), default=NEVER))
    before, after = ANY * (best is not parts[0]), ANY * (best is not parts[-1])
    return frozenset(f"{before}{each}{after}" for each in best)


def union(ways: Iterable[frozenset[str]]) -> frozenset[str]:
    """Return the spellings by any of several ways; any text where they are too many."""
    spellings = frozenset().union(*ways)
    return spellings if len(spellings) <= MOST_SPELLINGS else ANYTHING


def letters_of(parts: Sequence[tuple[Any, Any]]) -> frozenset[str]:
    """Return the few letters that a set in brackets stands for; any text where they are many."""
    letters: set[str] = set()
    for kind, value in parts:
        if str(kind) == "LITERAL":
            letters.add(chr(value))
        elif str(kind) == "RANGE" and value[1] - value[0] < MOST_LETTERS:
            letters.update(map(chr, range(value[0], value[1] + 1)))
        else:
            return ANYTHING
    return frozenset(letters) if len(letters) <= MOST_LETTERS else ANYTHING


class ByWord(dict[str, int]):
    """The patterns that each word met so far speaks for, a bit each."""

    def __init__(self) -> None:
        """Begin without patterns and words."""
        self.by_start: dict[str, int] = {}
        self.longest = self.bits = 0
        self.sentences: dict[str, int] = {}

    def add(self, sets: Iterable[Iterable[str]]) -> int:
        """Take in sets of starts, and return which bit the first of them has."""
        first = self.bits
        for starts in sets:
            for start in starts:
                self.by_start[start] = self.by_start.get(start, 0) | 1 << self.bits
                self.longest = max(self.longest, len(start))
            self.bits += 1
        self.clear()
        self.sentences.clear()
        return first

    def __missing__(self, word: str) -> int:
        """Look up a word that is new; all are forgotten where they have become too many."""
        whole, found = word + " ", 0
        for length in range(1, min(len(whole), self.longest) + 1):
            found |= self.by_start.get(whole[:length], 0)
        if len(self) >= MOST_CACHED:
            self.clear()
        self[word] = found
        return found

    def speaking(self, marked: str) -> int:
        """Return the bits that the words of a sentence speak for."""
        found = self.sentences.get(marked)
        if found is None:
            found = reduce(or_, map(self.__getitem__, marked.split(" ")))
            if len(self.sentences) >= MOST_SENTENCES:
                self.sentences.clear()
            self.sentences[marked] = found
        return found


ALL_FILES = ByWord()  # of the patterns of all cue files, so that a word is looked up once


@dataclass
class Prefilter:
    """The patterns of a cue file, ready to be looked up by the words of a sentence.

    >>> talks = Prefilter([re.compile(" no deal(?= )"), re.compile(" talks stall\\\\S*(?= )")])
    >>> talks.candidates(" the talks stalled . ")
    [1]
    """

    patterns: Sequence[re.Pattern[str]]
    by_word: ByWord = field(default_factory=lambda: ALL_FILES)
    always: int = 0  # a bit for each pattern, and behind them those for its other sets
    first: int = 0  # their place among those of all cue files

    def __post_init__(self) -> None:
        """Index the patterns by the words that speak for them."""
        sets = [starts_of(pattern) for pattern in self.patterns]
        slots = [each[at : at + 1] for at in range(MOST_SETS) for each in sets]
        self.always = sum(1 << bit for bit, slot in enumerate(slots) if not slot)
        self.first = self.by_word.add(slot[0] if slot else () for slot in slots)

    def candidates(self, marked: str) -> list[int]:
        """Return the numbers of the patterns that a sentence could match, in order."""
        count = len(self.patterns)
        found = self.by_word.speaking(marked) >> self.first | self.always
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
