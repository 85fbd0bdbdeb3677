"""Second stage, second step: what a sentence says of the gap, by cues with weights.

A cue is a row of `cues/direction.csv`: a phrase in a small pattern language. `cues/weights.csv`
says what each cue, context and word adds to the evidence for each of the four directions. The
evidence of a sentence is their sum, so that every decision can be read. See `cues/README.md`.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from tradegap.coding.prefilter import Prefilter
from tradegap.errors import DataError
from tradegap.tables import split_list

__all__ = [
    "DIRECTIONS",
    "Cue",
    "Weights",
    "choose",
    "compile_pattern",
    "find_chances",
    "find_confidence",
    "matching",
    "probability",
    "read_confidence",
    "read_cues",
    "read_thresholds",
    "read_weights",
]

Weights = tuple[float, float, float, float]  # one for each of the DIRECTIONS
DIRECTIONS = ("closed", "narrowing", "open", "widening")
SECOND = 1.6  # a second direction of one sentence needs so much more than its threshold
BESIDE = 0.45  # or such a chance against no signal alone, where the sentence holds a contrast
LONG_DOCUMENT = 5  # sentences from which a document may be about something else
TOKEN = re.compile(r"@\w{1,40}(?:'s\b)?|[\w](?:[\w'./&-]{0,38}[\w])?|[^\w\s]")
NAME_OF_PARTY = re.compile(r"\w[\w.]*")
NEXT_WORD = re.compile(r" \w+")
GAP = re.compile(r"[\W_]+")
POSSESSIVE_GAP = re.compile(r"['’]s[\W_]+")
SAME = str.maketrans("‘’‚“”„–—−‐‑\u00a0", "'''" + '"""' + "----- ")


@dataclass(frozen=True)
class Cue:
    """One cue: its name, the direction it is meant for, its pattern and its weights."""

    name: str
    direction: str  # a direction, "blocker" or "context"
    pattern: re.Pattern[str]
    meant: float  # the weight that a person would give it, which stands until it is fitted
    silences: frozenset[str]  # the cues that do not count where this one stands
    example: str


def iter_rows(name: str) -> Iterator[dict[str, str]]:
    """Yield the rows of a cue file, each with all its columns."""
    text = (files("tradegap") / "cues" / name).read_text(encoding="utf-8")
    yield from csv.DictReader(io.StringIO(text, newline=""))


@cache
def read_rows(name: str) -> list[dict[str, str]]:
    """Return the rows of a cue file, each with all its columns."""
    return list(iter_rows(name))


@cache
def word_lists() -> dict[str, str]:
    """Return the word lists that patterns may name in braces."""
    return {row["word_list"]: row["pattern"] for row in read_rows("words.csv")}


@cache
def compile_pattern(pattern: str, where: str = "pattern") -> re.Pattern[str]:
    """Return the regular expression of a cue pattern, for a marked sentence.

    Words match whole; `*` stands for any ending, `..` for up to two words between, `...` for up to
    six, `{deal}` for a word list of words.csv; `(a|b)` and `?` are as in regular expressions.

    >>> bool(compile_pattern("no .. progress").search(" there was no real progress . "))
    True
    """
    known = word_lists()

    def expand(found: re.Match[str]) -> str:
        name = found.group(1)
        if name not in known:
            raise DataError(f"{where}: no word list '{name}'; words.csv has {', '.join(known)}")
        return f"(?:{known[name]})"

    written = re.sub(r"\{([a-z_]+)\}", expand, pattern)
    written = written.replace("#", r"\d")
    written = re.sub(r"(?<=\w)\*(?=[ |)]|$)", r"\\S*", written)
    written = re.sub(r" \.\.\.(?= )", r"(?: \\S+){0,6}?", written)
    written = re.sub(r" \.\.(?= )", r"(?: \\S+){0,2}?", written)
    try:
        return re.compile(rf" (?:{written})(?= )")
    except re.error as error:
        raise DataError(f"{where}: '{pattern}' is no pattern ({error})") from None


@cache
def read_cues() -> tuple[Cue, ...]:
    """Return the cues of cues/direction.csv, in the order of the file."""
    cues = []
    for number, row in enumerate(read_rows("direction.csv"), start=2):
        where = f"cues/direction.csv:row {number}"
        try:
            meant = float(row["meant"])
        except (TypeError, ValueError):
            raise DataError(f"{where}: 'meant' is no number; it takes e.g. 0.4") from None
        pattern = compile_pattern(row["pattern"], where)
        silences = frozenset(split_list(row["silences"]))
        cue = Cue(row["cue"], row["direction"], pattern, meant, silences, row["example"])
        cues.append(cue)
    return tuple(cues)


def tokens(text: str) -> str:
    """Return a text with its parties marked as lower-case tokens, blanks around each.

    >>> tokens("“No deal,” said @Japan’s envoy.")
    ' " no deal , " said @japan envoy . '
    """
    plain = text.translate(SAME).lower()
    words = TOKEN.findall(plain)
    if "'s" in plain:
        words = [word[:-2] if word.endswith("'s") and len(word) > 2 else word for word in words]
    return f" {' '.join(words)} "


def as_printed(words: str, text: str) -> str:
    """Return words that a cue matched as they stand in the text that they were found in.

    >>> as_printed("talks with @us envoys", "Talks with America’s envoys stalled.")
    'Talks with America’s envoys'
    """
    parts = [word for word in words.split() if re.search(r"\w", word)]
    plain = text.lower()
    if parts and len(plain) == len(text):
        failed: set[tuple[int, int]] = set()
        for start in starts_in(plain, parts[0]):
            end = end_of(parts, plain, start, failed)
            if end is not None:
                return text[start:end]
    return words.replace("@", "").replace("_", " ").strip(" ,")


def starts_in(plain: str, part: str) -> Iterator[int]:
    """Yield where a word, or any party, may begin in a text."""
    if part.startswith("@"):
        yield from (found.start() for found in NAME_OF_PARTY.finditer(plain))
        return
    at = plain.find(part)
    while at >= 0:
        yield at
        at = plain.find(part, at + 1)


def end_of(parts: Sequence[str], plain: str, at: int, failed: set[tuple[int, int]]) -> int | None:
    """Return where some words end, if they stand at a place in a text.

    A party stands there as one word, or up to four; between words there is no letter, but there may
    be a possessive's. What failed once, so many words from the end at a place, is not tried again.
    """
    part = parts[0]
    if not part.startswith("@"):
        if not plain.startswith(part, at):
            return None
        ends = [at + len(part)]
    else:
        name = NAME_OF_PARTY.match(plain, at)
        if not name:
            return None
        ends = [name.end()]
        for _ in range(3):
            more = NEXT_WORD.match(plain, ends[-1])
            if not more:
                break
            ends.append(more.end())
    if len(parts) == 1:
        return ends[0]
    for end in ends:
        for gap in (POSSESSIVE_GAP, GAP):
            found = gap.match(plain, end)
            place = (len(parts), found.end()) if found else None
            if place is None or place in failed:
                continue
            last = end_of(parts[1:], plain, place[1], failed)
            if last is not None:
                return last
            failed.add(place)
    return None


@cache
def cue_prefilter() -> Prefilter:
    """Return the patterns of the cues of cues/direction.csv, to be looked up by words."""
    return Prefilter([cue.pattern for cue in read_cues()])


def matching(marked: str) -> list[Cue]:
    """Return the cues that a marked sentence shows, without those that another one silences.

    >>> [cue.name for cue in matching(" they hope to narrow the gap . ")]
    ['purpose to narrow a gap', 'purpose to close gap']
    """
    found = [read_cues()[number] for number in cue_prefilter().search(marked)]
    shown = {cue.name: cue for cue in found}
    silenced = set()
    for cue in shown.values():
        rivals = [shown[name] for name in sorted(cue.silences) if name in shown]
        spans = [each.span() for each in cue.pattern.finditer(marked)] if rivals else []
        for rival in rivals:
            places = [each.span() for each in rival.pattern.finditer(marked)]
            if all(any(a < last and first < b for first, last in spans) for a, b in places):
                silenced.add(rival.name)
    return [cue for name, cue in shown.items() if name not in silenced]


@cache
def read_weights() -> dict[str, Weights]:
    """Return the weight of each sign for each of the DIRECTIONS, from cues/weights.csv.

    A cue that has not been fitted yet weighs what is meant, for its own direction.
    """
    weights: dict[str, Weights] = {}
    for cue in read_cues():
        if cue.direction in DIRECTIONS:
            own = [cue.meant if each == cue.direction else 0.0 for each in DIRECTIONS]
            weights[cue.name] = (own[0], own[1], own[2], own[3])
    # Thirty thousand rows: kept as weights, not as rows, too.
    for number, row in enumerate(iter_rows("weights.csv"), start=2):
        try:
            closed, narrowing, open_, widening = (float(row[each]) for each in DIRECTIONS)
        except (TypeError, ValueError):
            where = f"cues/weights.csv:row {number}"
            raise DataError(f"{where}: a weight is no number; it takes e.g. -0.4") from None
        weights[row["sign"]] = (closed, narrowing, open_, widening)
    return weights


def find_chances(evidence: Mapping[str, float]) -> dict[str, float]:
    """Return the chance of each direction; what is left is the chance that there is no signal.

    The evidence for a direction is its log-odds against no signal.

    >>> round(find_chances({"closed": -9.0, "open": 0.0})["open"], 3)
    0.5
    """
    powers = {name: math.exp(max(-30.0, min(30.0, sum_))) for name, sum_ in evidence.items()}
    total = 1 + sum(powers.values())
    return {name: power / total for name, power in powers.items()}


@cache
def read_thresholds() -> dict[str, float]:
    """Return the chance from which each direction is coded, and `document`: see `choose`."""
    return {row["threshold"]: float(row["chance"]) for row in read_rows("thresholds.csv")}


@cache
def read_confidence() -> dict[str, tuple[float, float, float]]:
    """Return rise, fall and level of the confidence in each direction: see `find_confidence`."""
    return {
        row["direction"]: (float(row["rise"]), float(row["fall"]), float(row["level"]))
        for row in read_rows("confidence.csv")
    }


def find_confidence(chance: float, curve: tuple[float, float, float]) -> float:
    """Return the share of sentences with such a chance of a direction that indeed have it.

    One scale for four directions leaves each of them a little too sure or too modest; a curve of
    its own (a beta calibration, fitted to sentences held out) does not.

    >>> find_confidence(0.5, (1.0, 1.0, 0.0)), round(find_confidence(0.9, (1.0, 0.7, -0.1)), 3)
    (0.5, 0.803)
    """
    rise, fall, level = curve
    certain = min(max(chance, 1e-5), 1 - 1e-5)
    return probability(rise * math.log(certain) - fall * math.log(1 - certain) + level)


def choose(
    chances: Sequence[Mapping[str, float]],
    contrasts: Sequence[bool],
    thresholds: Mapping[str, float],
) -> list[list[str]]:
    """Return the directions of each sentence of a document, from their chances.

    The likeliest direction against its threshold is coded. So is a second one that is likely beside
    it, or, in a sentence that holds a contrast ("but"), without it. A document of some length whose
    surest sentence is less sure than the threshold `document` is about something else, and nothing
    of it is coded.

    >>> even = {"closed": 0.3, "narrowing": 0.3, "open": 0.3, "widening": 0.3, "document": 0.7}
    >>> one = {"closed": 0.0, "narrowing": 0.05, "open": 0.9, "widening": 0.0}
    >>> choose([one, one], [False, True], even)
    [['open'], ['narrowing', 'open']]
    """
    surest = max((sum(each.values()) for each in chances), default=0.0)
    if len(chances) >= LONG_DOCUMENT and surest < thresholds["document"]:
        return [[] for _ in chances]
    chosen = []
    for each, has_contrast in zip(chances, contrasts, strict=True):
        silent = 1 - sum(each.values())
        ratios = {name: chance / thresholds[name] for name, chance in each.items()}
        first = max(ratios, key=lambda name: ratios[name])
        second = {
            name: ratio >= SECOND or (has_contrast and each[name] > BESIDE * (each[name] + silent))
            for name, ratio in ratios.items()
        }
        is_signal = ratios[first] >= 1
        chosen.append([name for name in each if is_signal and (name == first or second[name])])
    return chosen


def probability(evidence: float) -> float:
    """Return the probability that a sum of weights (log-odds) stands for.

    >>> probability(0.0)
    0.5
    """
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, evidence))))
