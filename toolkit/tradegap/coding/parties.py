"""Second stage, beside the cues: which parties a text names, and where.

The lexicon is data/parties.csv. A party's capital, its adjective and its offices stand for it.
Short names such as US are matched as they are written only, since "us" is a pronoun.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from tradegap.tables import split_list
from tradegap.talks import read_parties

__all__ = ["Mention", "find_mentions", "mark"]

# "LONDON, March 3 -" and "WASHINGTON (Agency) -" say where a story was written, not who is meant.
DATELINE = re.compile(
    r"^[A-Z][A-Za-z .,/'-]{2,40}?(?:, (?:[A-Z][a-z]{2,8}\.? \d{1,2}|\d{1,2} [A-Z][a-z]+))?"
    r"(?: ?\([A-Za-z ]{2,20}\))? ?[-–—]{1,2} "
)


@dataclass(frozen=True)
class Mention:
    """One place in a text that names a party."""

    start: int
    end: int
    party: str


@cache
def lexicon() -> tuple[re.Pattern[str], dict[str, str]]:
    """Return the pattern of all names of parties, and the party that each name stands for."""
    parties: dict[str, str] = {}
    for row in read_parties().itertuples():
        names = [row.party, row.party_name, *split_list(row.adjective), *split_list(row.aliases)]
        for name in names:
            bare = name.removeprefix("the ")
            parties.setdefault(bare, row.party)
            if len(bare) > 3:
                parties.setdefault(bare.upper(), row.party)
    # Names with one first letter stand together, the longest first: where a letter begins no name,
    # a search then goes on at once. Behind the first letter, what stands before it is looked at.
    rests: dict[str, list[str]] = {}
    for name in sorted(parties, key=lambda name: (-len(name), name)):
        rests.setdefault(name[0], []).append(re.escape(name[1:]))
    either = "|".join(
        rf"{re.escape(first)}(?<![\w.@].)(?:{'|'.join(rest)})" for first, rest in rests.items()
    )
    return re.compile(rf"(?:{either})(?!\w)"), parties


def find_mentions(text: str) -> list[Mention]:
    """Return where a text names a party, in order.

    >>> [(m.party, m.start) for m in find_mentions("Tokyo wants Washington to cut duties.")]
    [('Japan', 0), ('US', 12)]
    """
    pattern, parties = lexicon()
    found = pattern.finditer(text)
    return [Mention(each.start(), each.end(), parties[each.group()]) for each in found]


def mark(text: str, mentions: list[Mention], start: int, end: int) -> str:
    """Return text[start:end] with the parties written as @party; a dateline is left out.

    >>> words = "TOKYO, May 3 - Japan met U.S. envoys."
    >>> mark(words, find_mentions(words), 0, len(words))
    '@Japan met @US envoys.'
    """
    dateline = DATELINE.match(text[start : min(end, start + 80)])
    first = start + dateline.end() if dateline else start
    parts, last = [], first
    for each in mentions:
        if each.start >= first and each.end <= end:
            parts += [text[last : each.start], "@" + each.party.replace(" ", "_")]
            last = each.end
    return "".join([*parts, text[last:end]])
