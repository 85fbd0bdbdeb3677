"""Second stage, beside the cues: whose talks a sentence is about.

Read from the sentence first, then from what stands around it, then from the document.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from tradegap.coding.contexts import read_patterns, read_prefilter
from tradegap.coding.cues import read_rows
from tradegap.coding.parties import Mention
from tradegap.coding.sentences import Sentence
from tradegap.tables import split_list
from tradegap.talks import read_parties

__all__ = ["clause_on_others", "find_talks"]

TOKEN = re.compile(r"@(\S+)")
OLD = {"Russia": "USSR"}  # Moscow, in a text that speaks of the Soviet Union
GROUPS = ("members", "producers", "consumers", "exporters", "importers")
WITH_OTHERS = re.compile(
    r" (?:talks|negotiations|deals?|agreement|accord|pact|war|dispute|row|tensions|truce) "
    r"(?:\S+ ){0,3}?(?:with|between|against) (?:the |both )?(@\S+)(?: ,)?"
    r"(?: (?:and|,|or) (?:the )?(@\S+))?"
)


def clause_on_others(words: str, is_other: bool) -> str:
    """Return the clause of a sentence that names other talks; all of it if it names none."""
    found = WITH_OTHERS.search(words) if is_other else None
    if not found:
        return words
    before = " ".join(words[: found.start()].split()[-6:])
    after = " ".join(words[found.end() :].split()[:8])
    return f" {before}{found.group()} {after} "


@cache
def parties_by_token() -> dict[str, str]:
    """Return the party of each token that stands for one in a marked sentence."""
    return {party.lower().replace(" ", "_"): party for party in read_parties()["party"]}


def parties_of(words: str) -> Counter[str]:
    """Return how often a marked sentence names each party, its leaders included.

    >>> sorted(parties_of(" @us and trump against @south_korea . ").items())
    [('South Korea', 1), ('US', 2)]
    """
    tokens = parties_by_token()
    found = Counter(tokens[each] for each in TOKEN.findall(words) if each in tokens)
    for number in read_prefilter("leaders.csv").candidates(words):
        pattern = read_patterns("leaders.csv")[number]
        found[read_rows("leaders.csv")[number]["party"]] += sum(1 for _ in pattern.finditer(words))
    return +found


@dataclass(frozen=True)
class Whose:
    """What a document tells of its talks: parties by sentence, in all, and the document's own."""

    here: list[Counter[str]]
    named: list[list[tuple[str, ...]]]
    weight: Counter[str]
    main: tuple[str, ...]


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
    here = [parties_of(words) for words in marked]
    if any("USSR" in each for each in here):
        here = [Counter({OLD.get(p, p): n for p, n in each.items()}) for each in here]
    known = [tuple(sorted(split_list(row["parties"]))) for row in read_rows("talks.csv")]
    named = [[known[at] for at in read_prefilter("talks.csv").search(each)] for each in marked]
    weight: Counter[str] = Counter()
    pairs: Counter[tuple[str, ...]] = Counter()
    rounds: Counter[tuple[str, ...]] = Counter()
    for number in range(len(marked)):
        worth = 4 if number == 0 else 2 if number <= 2 else 1
        for party in here[number]:
            weight[party] += worth
        few = sorted(here[number], key=lambda party: (-here[number][party], party))[:4]
        for pair in combinations(sorted(few), 2):
            pairs[pair] += worth
        for each in named[number]:
            rounds[each] += worth
    main = tuple(sorted(fallback)) or main_talks(weight, pairs, rounds, len(marked))
    view = Whose(here, named, weight, main)
    result: list[list[list[str]]] = []
    for number, words in enumerate(marked):
        result.append(talks_of(number, words, view, result))
    return list(main), result


def main_talks(
    weight: Counter[str],
    pairs: Counter[tuple[str, ...]],
    rounds: Counter[tuple[str, ...]],
    count: int,
) -> tuple[str, ...]:
    """Return the parties of a document's talks: talks with a name of their own, else the pair.

    >>> main_talks(Counter(US=9, Japan=7, EU=2), Counter({("Japan", "US"): 4}), Counter(), 20)
    ('Japan', 'US')
    """
    ranked = sorted(weight, key=lambda party: (-weight[party], party))
    pair = tuple(sorted(ranked[:2]))
    known_pairs = [each for each in pairs if len(each) == 2]
    if known_pairs and len(ranked) > 2:
        pair = max(
            sorted(known_pairs),
            key=lambda each: pairs[each] + 0.5 * sum(weight[party] for party in each),
        )
    if not rounds:
        return pair
    known = max(sorted(rounds), key=lambda each: rounds[each])
    second = min((weight[party] for party in pair), default=0) if len(pair) == 2 else 0
    if rounds[known] >= max(3, 0.15 * count, 0.6 * second) or len(pair) < 2:
        return known
    if set(pair) < set(known) and rounds[known] >= 3:
        return known
    return pair


def talks_of(
    number: int, words: str, view: Whose, earlier: list[list[list[str]]]
) -> list[list[str]]:
    """Return the parties of each of the talks that one sentence is about."""
    main = set(view.main)
    own = {party for party in view.here[number] if party in main or not is_group({party})}
    if any(view.main == each for each in view.named[number]):
        return [list(view.main)]
    if view.named[number]:
        return [list(view.named[number][0])]
    tokens = parties_by_token()
    others = {
        tokens[party.removeprefix("@")]
        for found in WITH_OTHERS.finditer(words)
        for party in found.groups()
        if party and party.removeprefix("@") in tokens
    }
    strange = others - main
    if strange and len(main) >= 2 and not is_group(main):
        hubs = [party for party in sorted(main) if party not in others]
        hub = hubs[0] if len(hubs) == 1 else max(sorted(main), key=lambda p: view.weight[p])
        return [sorted({party, hub}) for party in sorted(strange)]
    if is_group(main):
        return [list(view.main)]
    if len(own) == 2 and not own <= main:
        return [sorted(own)]
    before = earlier[number - 1] if number else []
    elsewhere = [each for each in before if set(each) != main]
    if len(elsewhere) == 1 and own and not own >= main:
        there = set(elsewhere[0])
        if own & (there - main) and own <= there | main:
            return elsewhere
    return [list(view.main)]


def is_group(parties: set[str]) -> bool:
    """Return whether parties are groups of many countries, such as the members of a body."""
    return any(party.endswith(GROUPS) for party in parties)
