"""Second stage, beside the cues: what a sentence is about: which issues, or the talks as a whole.

The patterns of cues/issues.csv tell which issues a sentence names. Whether it is about them, about
the document's one dispute, about what the sentence before named or about the talks as a whole is
weighed: the signs computed here, times their weights in cues/issue_weights.csv, give the chance of
each issue. `python -m tradegap.coding.fit_issues` fits the weights.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from tradegap.coding.contexts import is_shown, read_patterns, read_prefilter, show_named
from tradegap.coding.cues import probability, read_rows

__all__ = ["KINDS", "find_issues", "issue_signs", "kind_of"]

# Sectors share one set of weights: what makes a sentence about beef makes another about chips.
KINDS = ("sector", "market_access", "other", "overall")
SUBSIDISED = frozenset({"agriculture", "industrial_goods", "steel_aluminium", "energy"})
FROM = 0.42  # an issue counts from this chance on; the likeliest one counts in any case
TURNS = 0.4  # from here on a document is a dispute about its sector
BESIDE = 40  # letters from one issue to the next in a list
# The contexts of cues/contexts.csv that are signs themselves.
GENERAL = (
    *("whole", "whole, strongly", "access", "hostile", "a measure"),
    *("points back", "the issue", "a rider"),
)
MEMORY = 6  # so many sentences back may have named what a sentence is about

DISPUTED = (
    "dispute row talks pact accord agreement negotiations issue issues question trade war sanctions"
    " tariff tariffs quota quotas curbs rights problem imports exports sales battle case demands"
    " rules duty duties market levy levies ban subsidies policy provisions"
)
AFTER = re.compile(
    rf" (?:\S+ )?(?:{'|'.join(sorted(DISPUTED.split(), key=len, reverse=True))})(?= )"
)
BEFORE = re.compile(
    r" (?:dispute|row|talks|pact|accord|agreement|deal|negotiations|differences|gaps?|tariffs?"
    r"|progress|compromise|impasse|deadlock(?:ed)?|disagreements?|issues?|demands?|concessions?"
    r"|access|trade|question|stance|positions?|quotas?|barriers?|fight|clash|move|points?|frictions?"
    r"|pressure|dumping|concerns?|proposals?|offer) (?:on|over|in|about|governing|of|for|to|around"
    r"|regarding|concerning|-|:|as|are)(?: \S+){0,5}? $"
)
QUARREL_AFTER = re.compile(
    r" (?:\S+ ){0,2}?(?:dispute|row|pact|accord|agreement|talks|negotiations|dumping|war|issue"
    r"|problem|question|battle|case|wrangle|quarrel|conflict|trade|fight|tax)(?= )"
)
QUARREL_BEFORE = re.compile(
    r" (?:dispute|row|pact|accord|agreement|talks|negotiations|differences|quarrel|battle|war"
    r"|dumping|dump|market|selling|governing|conflict|wrangle|fight|deadlock|gap)"
    r" (?:(?:on|over|in|about|governing|for|of|regarding|concerning) )?(?:\S+ ){0,4}?$"
)


@cache
def issue_weights() -> dict[str, dict[str, float]]:
    """Return the weight of each sign for each kind of issue, by the kind."""
    rows = read_rows("issue_weights.csv")
    return {kind: {row["sign"]: float(row[kind]) for row in rows} for kind in KINDS}


def kind_of(issue: str) -> str:
    """Return the kind of an issue, which says what weights it takes.

    >>> kind_of("agriculture"), kind_of("other")
    ('sector', 'other')
    """
    return issue if issue in KINDS else "sector"


@dataclass(frozen=True)
class Naming:
    """How a sentence names one issue."""

    times: int
    disputed: bool  # as what is talked or quarrelled about: "the beef row", "differences on beef"
    quarrel: bool  # so, in words that name a dispute or a pact
    first: int  # where it is first named
    reason: bool  # behind words such as "because of" or "including"


def names(words: str) -> dict[str, Naming]:
    """Return the issues that a marked sentence names, and how.

    >>> names(" the chip row is open . ")["semiconductors"].disputed
    True
    """
    found = {}
    for number in read_prefilter("issues.csv").candidates(words):
        issue = read_rows("issues.csv")[number]["issue_id"]
        pattern = read_patterns("issues.csv")[number]
        places = [(each.start(), each.end()) for each in pattern.finditer(words)]
        if places:
            found[issue] = Naming(
                len(places),
                any(
                    AFTER.match(words, end) or BEFORE.search(words[max(0, start - 90) : start + 1])
                    for start, end in places[:8]
                ),
                any(
                    QUARREL_AFTER.match(words, end)
                    or QUARREL_BEFORE.search(words[max(0, start - 70) : start + 1])
                    for start, end in places[:8]
                ),
                places[0][0],
                is_shown("a reason", words[max(0, places[0][0] - 60) : places[0][0] + 1]),
            )
    return found


@dataclass(frozen=True)
class Overview:
    """What a whole document names, and the one sector that it is a dispute about, if any."""

    share: Mapping[str, float]  # of its sentences, per issue
    opening: Mapping[str, float]  # of its first four sentences, per issue
    score: Mapping[str, float]  # of all that it says of sectors
    whole: float  # share of its sentences that speak of a trade deal or trade talks
    main: str | None  # the sector that it speaks of most
    turns: float  # how much it turns on that sector alone, 0-1


def survey(named: Sequence[Mapping[str, Naming]], marked: Sequence[str]) -> Overview:
    """Return what a document as a whole names.

    Goods that are punished in a dispute about other goods count little: what a dispute is about
    is told by words such as "the chip pact" and "a row over beef".
    """
    count = max(1, len(named))
    share: Counter[str] = Counter()
    opening: Counter[str] = Counter()
    score: dict[str, float] = defaultdict(float)
    for number, each in enumerate(named):
        measure = "goods punished" in show_named(marked[number])
        for issue, naming in each.items():
            share[issue] += 1
            opening[issue] += number < 4
            if kind_of(issue) in ("sector", "market_access"):
                worth = 4.0 if naming.quarrel else 0.25 if measure else 1.0
                if issue == "market_access":
                    worth = 0.7
                score[issue] += worth * (2 if number < 4 else 1)
    if len(score) > 1 and "level_playing_field" in score:
        score["level_playing_field"] /= 4  # subsidies to farms or aircraft: the goods count
    total = sum(score.values()) or 1.0
    main = max(sorted(score), key=lambda issue: score[issue]) if score else None
    whole = sum("whole, strongly" in show_named(each) for each in marked) / count
    turns = 0.0
    if main:
        part = score[main] / total
        solid = min(1.0, score[main] / 5, 2 * score[main] / count)
        turns = min(1.0, max(0.0, 2 * part - 0.7)) * solid * max(0.0, 1 - 4 * whole)
    return Overview(
        {issue: amount / count for issue, amount in share.items()},
        {issue: amount / min(4, count) for issue, amount in opening.items()},
        {issue: amount / total for issue, amount in score.items()},
        whole,
        main,
        turns,
    )


def set_aside(own: dict[str, Naming], words: str, view: Overview) -> dict[str, Naming]:
    """Return what a sentence names without what is not its issue.

    These are the goods that are punished in a dispute about others, and subsidies to goods.

    >>> view = Overview({}, {}, {}, 0.0, "semiconductors", 0.9)
    >>> words = " duties on cars are the answer in the chip row . "
    >>> sorted(set_aside(names(words), words, view))
    ['semiconductors']
    """
    in_dispute = view.turns > TURNS
    sectors = {each for each in own if kind_of(each) == "sector"}
    about = {view.main} if in_dispute else set()
    dropped: set[str] = set()
    if "level_playing_field" in own and (sectors | about) & SUBSIDISED:
        dropped.add("level_playing_field")
    shown = show_named(words)
    if "goods punished" in shown:
        quarrels = {each for each in sectors if own[each].quarrel}
        if in_dispute:
            dropped |= sectors - quarrels - {view.main}
        elif "retaliation" in shown and (quarrels or len(sectors) > 1):
            dropped |= sectors - quarrels
    return {each: how for each, how in own.items() if each not in dropped}


def issue_signs(
    marked: Sequence[str], wanted: Container[int] | None = None
) -> list[dict[str, dict[str, float]]]:
    """Return for each sentence the issues that it may be about, each with its signs' amounts.

    With `wanted`, the numbers of sentences, nothing is told of the others.
    """
    named = [names(each) for each in marked]
    view = survey(named, marked)
    named = [set_aside(own, words, view) for own, words in zip(named, marked, strict=True)]
    result: list[dict[str, dict[str, float]]] = []
    last: dict[str, int] = {}
    punished: dict[
        str, bool
    ] = {}  # whether the sentence that named an issue last spoke of a measure
    for number, words in enumerate(marked):
        own = named[number]
        shown = show_named(words)
        measure = "a measure" in shown
        if wanted is not None and number not in wanted:
            result.append({})
            last |= dict.fromkeys(own, number)
            punished |= dict.fromkeys(own, measure)
            continue
        back = {i: number - n for i, n in last.items() if number - n <= MEMORY}
        after = named[number + 1] if number + 1 < len(named) else {}
        title = named[0] if number else {}
        general = {
            "item of a list": words.startswith((" - ", " • ", " * ")),
            **{name: name in shown for name in GENERAL},
            "short": words.count(" ") < 14,
            "long": words.count(" ") > 45,
            "title": number == 0,
        }
        of_measure = [each for each in back if measure and not own and punished[each]]
        same = {"the measure before": 1.0} if of_measure else {}
        candidates = {*own, *back, *title, *after, "overall"}
        if view.main:
            candidates.add(view.main)
        here = {
            issue: signs_of(issue, own, back, after, title, view, general)
            | (same if issue in of_measure or issue == "overall" else {})
            for issue in sorted(candidates)
        }
        result.append(here)
        last |= dict.fromkeys(own, number)
        punished |= dict.fromkeys(own, measure)
    return result


def signs_of(
    issue: str,
    own: Mapping[str, Naming],
    back: Mapping[str, int],
    after: Mapping[str, Naming],
    title: Mapping[str, Naming],
    view: Overview,
    general: Mapping[str, bool],
) -> dict[str, float]:
    """Return the signs that one sentence is about one issue."""
    silent = not own
    sectors = [each for each in own if kind_of(each) == "sector"]
    strong, measure = general["whole, strongly"], general["a measure"]
    if issue == "overall":
        just = silent / min(back.values(), default=MEMORY + 4)
        facts: dict[str, float] = {
            "no issue named": silent,
            "two issues named": len(own) > 1,
            "three issues named": len(own) > 2,
            "a sector named": len(sectors) > 0,
            "market access named": "market_access" in own,
            "other named": "other" in own,
            "named as disputed": any(each.disputed for each in own.values()),
            "all named late": bool(own) and min(e.first for e in own.values()) > 80,
            "all named as a reason": bool(own) and all(each.reason for each in own.values()),
            "document turns on a sector": view.turns,
            "document turns on a sector, none named": view.turns * silent,
            "document turns on a sector, strong": view.turns > TURNS,
            "document turns on a sector, hostile": view.turns * general["hostile"],
            "document's other": min(1.0, 2 * view.share.get("other", 0.0)) * silent,
            "document's market access": min(1.0, 2 * view.share.get("market_access", 0.0)) * silent,
            "whole in the document": view.whole,
            "issue in the title, none named": bool(title) and silent,
            "issue just before, none named": just,
            "issue just before, points back": just * general["points back"],
            "issue just before, the issue": just * general["the issue"],
            "issue just before, whole": just * strong,
            "whole, issue named": strong and not silent,
            "whole, none named": strong and silent,
            "a rider, issue named": general["a rider"] and not silent,
            **general,
        }
    elif issue in own:
        naming = own[issue]
        rival = view.turns if view.main is not None and view.main != issue else 0.0
        facts = {
            "named": True,
            "named alone": len(own) == 1,
            "named twice": naming.times > 1,
            "market access itself": general["access"],
            "named as disputed": naming.disputed,
            "named as a quarrel": naming.quarrel,
            "named beside another": any(
                0 < abs(each.first - naming.first) < BESIDE for each in own.values()
            ),
            "named late": naming.first > 80,
            "named as a reason": naming.reason,
            "named among three": len(own) > 2,
            "named, whole": strong,
            "named, whole, a rider": strong and general["a rider"],
            "named, whole in the document": view.whole,
            "named, a measure": measure,
            "named, a sector too": bool(set(sectors) - {issue}),
            "named, document turns on it": view.turns * (view.main == issue),
            "named, document turns on another": rival,
            "named, document turns on another, a measure": rival * measure,
            "named, another is a quarrel": any(
                each.quarrel for name, each in own.items() if name != issue
            )
            and not naming.quarrel,
            "named, share in the document": view.share.get(issue, 0.0),
            "named, in the item of a list": general["item of a list"],
            "named, in the title": general["title"],
            "named, short": general["short"],
            "named, long": general["long"],
        }
    else:
        near = 1 / back[issue] if issue in back else 0.0
        turns = view.turns * (view.main == issue)
        facts = {
            "another named": not silent,
            "another sector named": bool(sectors),
            "share": min(1.0, 3 * view.share.get(issue, 0)) * silent,
            "in the opening": view.opening.get(issue, 0) * silent,
            "in the title": silent and issue in title,
            "document turns on it": turns,
            "document turns on it, strong": turns > TURNS,
            "document turns on it, none named": turns * silent,
            "document turns on it, another sector named": turns * bool(sectors),
            "document turns on it, a measure": turns * measure,
            "document turns on it, whole": turns * strong,
            "document turns on it, hostile": turns * general["hostile"],
            "just before": near,
            "just before, none named": near * silent,
            "just before, points back": near * silent * general["points back"],
            "just before, the issue": near * silent * general["the issue"],
            "just before, whole": near * silent * strong,
            "just before, with others": near * silent * (sum(v == 1 for v in back.values()) > 1),
            "just before, whole in the document": near * silent * view.whole,
            "just after": issue in after and silent,
            "whole": strong,
            "title": general["title"],
        }
    signs = {"always": 1.0}
    return signs | {name: float(amount) for name, amount in facts.items() if amount}


def chance(
    signs: Mapping[str, float], issue: str, weights: Mapping[str, Mapping[str, float]]
) -> float:
    """Return the chance that a sentence with these signs is about an issue."""
    own = weights[kind_of(issue)]
    return probability(sum(x * own[name] for name, x in signs.items() if name in own))


def find_issues(
    marked: Sequence[str],
    wanted: Container[int] | None = None,
    weights: Mapping[str, Mapping[str, float]] | None = None,
) -> list[list[str]]:
    """Return the issues of each sentence, in the order of cues/issues.csv; `overall` comes last.

    With `wanted`, the numbers of sentences, the others have none.

    >>> find_issues([" the talks stalled . ", " differences on beef and chips remain . "])
    [['overall'], ['agriculture', 'semiconductors']]
    """
    weights = issue_weights() if weights is None else weights
    order = {row["issue_id"]: number for number, row in enumerate(read_rows("issues.csv"))}
    result: list[list[str]] = []
    for here in issue_signs(marked, wanted):
        if not here:
            result.append([])
            continue
        chances = {issue: chance(signs, issue, weights) for issue, signs in here.items()}
        best = max(sorted(chances), key=lambda issue: chances[issue])
        chosen = [issue for issue, each in chances.items() if each >= FROM or issue == best]
        result.append(sorted(chosen, key=lambda issue: order.get(issue, len(order))))
    return result
