"""Second stage, beside the cues: what a sentence is about: issues, and whose talks.

Both are read from the sentence first, then from what stands around it, then from the document.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence
from functools import cache

from tradegap.coding.cues import compile_pattern, read_rows
from tradegap.coding.parties import Mention
from tradegap.coding.sentences import Sentence

__all__ = ["clause_on_others", "find_issues", "find_talks"]

NO_SECTOR = frozenset({"overall", "market_access", "other"})
WITH_OTHERS = re.compile(
    r" (?:talks|negotiations|deals?|agreement|accord|pact|war|dispute|row|tensions|truce) "
    r"(?:\S+ ){0,3}?(?:with|between|against) (?:the |both )?(@\S+)(?: ,)?"
    r"(?: (?:and|,|or) (?:the )?(@\S+))?"
)


@cache
def issue_patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    """Return the issues with their patterns, in the order of cues/issues.csv."""
    rows = read_rows("issues.csv")
    return tuple(
        (row["issue_id"], compile_pattern(row["pattern"], f"cues/issues.csv:row {number}"))
        for number, row in enumerate(rows, start=2)
    )


def clause_on_others(words: str, is_other: bool) -> str:
    """Return the clause of a sentence that names other talks; all of it if it names none."""
    found = WITH_OTHERS.search(words) if is_other else None
    if not found:
        return words
    before = " ".join(words[: found.start()].split()[-6:])
    after = " ".join(words[found.end() :].split()[:8])
    return f" {before}{found.group()} {after} "


def find_issues(marked: Sequence[str]) -> list[list[str]]:
    """Return the issues of each sentence; `overall`, or the document's one sector, if it has none.

    >>> find_issues([" the talks stalled . ", " beef and chips are open . "])
    [['overall'], ['agriculture', 'semiconductors']]
    """
    own = [[name for name, words in issue_patterns() if words.search(each)] for each in marked]
    sectors = Counter(name for each in own for name in set(each) - NO_SECTOR)
    opening = Counter(name for each in own[:3] for name in set(each) - NO_SECTOR)
    default = "overall"
    if sectors and len(marked) > 3:
        name, count = sectors.most_common(1)[0]
        others = sum(sectors.values()) - count
        if opening[name] >= 2 and count >= len(marked) / 5 and others < count / 2:
            default = name
    return [each or [default] for each in own]


def find_talks(
    sentences: Sequence[Sentence],
    marked: Sequence[str],
    mentions: list[Mention],
    fallback: Sequence[str],
) -> tuple[list[str], list[list[list[str]]]]:
    """Return the parties of the document's talks, and those of the talks of each sentence.

    `fallback` are the parties of the negotiation that the document was filed under, if any: they
    are then the document's own. A sentence may be about several talks at once.
    """
    starts = [each.start for each in mentions]
    named: list[Counter[str]] = []
    for each in sentences:
        low, high = bisect_left(starts, each.start), bisect_left(starts, each.end)
        named.append(Counter(m.party for m in mentions[low:high]))
    overall: Counter[str] = Counter()
    for number, parties in enumerate(named):
        weight = 4 if number == 0 else 2 if number <= 2 else 1
        for party in parties:
            overall[party] += weight
    main = set(fallback) or {party for party, _ in overall.most_common(2)}
    result = [talks_of(number, words, named, overall, main) for number, words in enumerate(marked)]
    return sorted(main), result


def talks_of(
    number: int, words: str, named: list[Counter[str]], overall: Counter[str], main: set[str]
) -> list[list[str]]:
    """Return the parties of each of the talks that one sentence is about."""
    here = set(named[number])
    others = {
        party.removeprefix("@").replace("_", " ")
        for found in WITH_OTHERS.finditer(words)
        for party in found.groups()
        if party
    }
    canonical = {party.lower(): party for party in here}
    others = {canonical[party] for party in others if party in canonical}
    strange = others - main
    if strange and len(main) >= 2:
        hubs = [party for party in sorted(main) if party not in others]
        hub = hubs[0] if len(hubs) == 1 else max(sorted(main), key=lambda party: overall[party])
        return [sorted({party, hub}) for party in sorted(strange)]
    if len(here) == 2 and not here & main and overall.total() > 0:
        return [sorted(here)]
    return [sorted(main)]
