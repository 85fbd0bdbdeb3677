"""Second stage, beside the speakers: the attributions that one sentence makes, outermost first.

An attribution is a verb of saying with the noun phrase before it ("the minister said"), or behind it
("said the minister"), "according to", or a label ("Meyer: no deal"). The phrase is read from the
verb backwards to the nearest boundary, within a fixed reach, so that no sentence takes long.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from tradegap.coding.cues import read_rows
from tradegap.coding.people import NAME, TITLE, People, Source, role_of

__all__ = ["Attribution", "find_attributions", "subject_of"]

REACH = 240
DAY = r"(?:Mon|Tues|Wednes|Thurs|Fri|Satur|Sun)day"
BETWEEN = re.compile(
    r"(?:(?<=\W)|^)(?:has|have|had|remains?|remained|becomes?|became|become|feels?|felt|increasingly|more|is|are|was|were|been|be|also|then|later|today|yesterday|again|further"
    r"|previously|earlier|now|still|once|just|both|all|each|repeatedly|tonight|reportedly|did|does|do"
    r"|(?:last|this|earlier this|late last) (?:night|week|month|year|morning|afternoon|evening)"
    rf"|(?:on |late on |early on |last )?{DAY}(?: night| evening)?|[a-z]+ly"
    r"|(?:appear|appeared|seem|seemed|seek|seeks|sought|try|tried|went on|continue|continued|moved"
    r"|rushed|hastened|quick|keen) to|(?:is|was) said to have|quoted (?:by [^,]{1,40} )?as"
    r"|(?:is|was|been) quoted as) \Z"
)
BOUNDARY = re.compile(
    r"[;:!?,“”\"—–(]|\.(?= )(?<=[a-z]{3}\.)|(?<= )-+(?= )|\b(?:that|which|who|whom|as|after|while|because|but|when|if"
    r"|although|though|where|since|before|until|so|what|whether|how|why|yet|than|once|amid|despite)\b",
    re.IGNORECASE,
)
STOPS_NAME = re.compile(
    r"[.,;:!?“”\"()—–]| -+ |\b(?:who|in a|in an|after|during|when|while|told|as|before|adding)\b"
)
PRONOUN = re.compile(r"(?:^|\s)(he|she|they|it)\Z", re.IGNORECASE)
FIRST_PERSON = re.compile(r"(?:^|\s)(?:I|we|you|who|which|that|what|there|this)\Z", re.IGNORECASE)
ROLE_NOUN = re.compile(
    r"\b(officials?|spokes(?:man|men|woman|person|people)|sources?|diplomats?|delegates?|ministry|minist(?:ry|er)s?"
    r"|government|negotiators?|commission|office|department|statement|aides?|administration|envoys?"
    r"|representatives?|economists?|analysts?|traders?|observers?|dealers?|experts?|sides|producers?"
    r"|consumers?|advis[eo]rs?|leaders?|lawmakers|legislators|senators?|mps|delegations?|insiders|people|person|capitals"
    r"|chiefs?|members?|commissioners?|countries|nations|importers|exporters|governments|premier|secretary"
    r"|president|chancellor|ambassadors?|ambassador|pm|team|head|chair(?:man|woman)?|professor|strategists?"
    r"|participants|farmers|growers|brokers|planner|bureaucrats?|executives?|association|federation"
    r"|chamber|council|institute|group|others|some|one|many|another|several|most|minister|speaker"
    r"|draft|letter|document|communique|communiqué|memo|report|briefing|release|bloc|cabinet|parties)\b",
    re.IGNORECASE,
)
PLURAL = re.compile(
    r"\b(?:officials|spokesmen|sources|diplomats|delegates|ministers|negotiators|aides|envoys|analysts|traders"
    r"|representatives|economists|observers|dealers|experts|sides|producers|consumers|leaders|lawmakers"
    r"|insiders|people|members|countries|nations|governments|importers|exporters|others|some|many"
    r"|capitals|chiefs|parties|advis[eo]rs|commissioners)\b",
    re.IGNORECASE,
)
FILLER = re.compile(
    r"^(?:and|but|or|also|meanwhile|however|yesterday|today|still|even|now|earlier|later|last night|last week"
    r"|this week|for (?:his|her|their|its) part|in turn|so|yet|while|although)\b ?",
    re.IGNORECASE,
)
DEFINITE = re.compile(
    r"(?:(?:the|these|those) (?:officials?|sources?|diplomats?|delegates?|aides?|negotiators?|ministers?|people|traders?|analysts?)"
    r"|one|another|others|some|a (?:second|third)(?: \w+)? (?:source|official|diplomat)) ",
    re.IGNORECASE,
)
# A clause behind one of these is not the outermost, unless nothing else is said before it.
SUBORDINATE = re.compile(
    r"\b(?:after|when|since|because|once|until|before|as|if|though|although|than|amid|despite|who|which|where"
    r"|whom|that|what)\b",
    re.IGNORECASE,
)
DUMMY = re.compile(
    r"^[^.]{0,70}\b(?:comes?|came)\b (?:\w+ ){0,3}?(?:as|after|when|amid claims that)\b|^\W*(?:and |but )?(?:it|this|that|(?:the|his|her|their|these|those|such|@+['’]?s?|[\w’']+['’]s) (?:\w+ ){0,3}?(?:comments?|remarks?|words"
    r"|warnings?|statements?|stance|move|speech|intervention|news|claims?|announcement|threat|admission"
    r"|development)(?: on \w+| from [@\w ]{1,12})?) (?:also |later )?(?:comes?|came|follow(?:s|ed)|echo(?:es|ed)|contrast(?:s|ed)"
    r"|coincide[sd]?|seemed|seem|appeared)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Attribution:
    """One attribution: where its verb stands, who says, and how sure it is the outermost."""

    place: int
    source: Source
    kind: str  # name, office, role, party, he, she, they, it
    is_act: bool  # the verb does more than say: it announces, threatens, offers
    is_plural: bool = False
    is_embedded: bool = False
    is_last: bool = False  # closes the sentence, as in "…, he said."


@cache
def verbs() -> tuple[re.Pattern[str], frozenset[str]]:
    """Return the pattern of the verbs in cues/speech.csv, and those that do more than say."""
    forms, acts = [], set()
    for row in read_rows("speech.csv"):
        forms += row["forms"].split()
        if row["kind"] == "acts":
            acts.update(row["forms"].split())
    longest = "|".join(sorted(set(forms), key=lambda form: (-len(form), form)))
    return re.compile(rf"\b(?:{longest})\b", re.IGNORECASE), frozenset(acts)


def find_attributions(
    bare: str, start: int, people: People, resolve: Resolver, *, is_title: bool
) -> Iterator[Attribution]:
    """Yield the attributions of a sentence; `bare` is it without quotations and names of parties."""
    pattern, acts = verbs()
    is_dummy = bool(DUMMY.match(bare))
    for found in pattern.finditer(bare):
        verb = found.group().lower()
        left = bare[max(0, found.start() - REACH) : found.start()]
        offset = start + found.start() - len(left)
        stripped, auxiliary = without_between(left)
        passive = re.search(
            r"\b(?:been|was|were|be|is|are|being)\s+(?:\w+ly )?\Z", left
        ) and verb.endswith(("ed", "said", "thought"))
        tail = bare[found.end() : found.end() + 60]
        # "…, he said on Friday." closes the sentence, as what was said stands before it.
        closes = not tail.strip(" .”") or bool(
            re.fullmatch(r"[^,]{0,50}[.”]*", tail) and stripped_subject(stripped)
        )
        if passive:
            agent = re.match(r" by ", tail)
            if agent:
                right = bare[found.end() + 4 : found.end() + 4 + REACH]
                got = read_right(right, start + found.end() + 4, people, resolve)
                if got:
                    yield Attribution(found.start(), got[0], got[1], True, got[2])
            continue
        if verb.endswith("ing") and not re.search(r"\b(?:is|are|was|were|been)\b", auxiliary):
            got = (
                read_left(stripped, offset, people, resolve, is_title)
                if re.search(r"\bwith\b[^,]{2,60}\Z", left)
                else None
            )
            if got:
                yield Attribution(found.start(), got[0], got[1], verb in acts, got[2], True)
            elif re.search(r"[,”]\s*\Z", stripped) or not stripped.strip():
                subject = subject_of(bare, start, people, resolve, is_title)
                if subject and not (is_dummy and subject[1] == "it"):
                    yield Attribution(
                        found.start(), subject[0], subject[1], verb in acts, subject[2], False
                    )
            continue
        # "…," said the minister.
        before = left.rstrip()
        inverted = None
        if verb in (
            "said",
            "says",
            "added",
            "told",
            "wrote",
            "warned",
            "insisted",
            "explained",
        ) and (not before or before[-1] in "”\"’'?!–-" or re.search(r"”\s*,\Z|,\Z", before)):
            aside = before.endswith(",") and not re.search(r"”\s*,\Z", before)
            named = read_left(stripped, offset, people, resolve, is_title) if aside else None
        else:
            named = ("no",)
        if not named:
            right = bare[found.end() : found.end() + REACH]
            inverted = read_right(right, start + found.end(), people, resolve)
        if inverted:
            yield Attribution(
                found.start(), inverted[0], inverted[1], False, inverted[2], False, True
            )
            continue
        got = read_left(stripped, offset, people, resolve, is_title)
        if not got:
            continue
        source, kind, plural, first, relative = got
        embedded = relative
        if kind in ("role", "party") and DEFINITE.match(bare[first - start :]) and not source.party:
            source = resolve.group_of(plural)
        clause = bare[max(0, first - start - 120) : max(0, first - start)]
        near = re.search(r"(?:^|[\s,])(\w+)\s+(?:\w+ly )?\Z", clause)
        opener = near.group(1).lower() if near else ""
        if re.fullmatch(SUBORDINATE, opener) and (
            opener not in ("while", "but", "as") or (opener == "as" and kind == "party")
        ):
            embedded = True
        if embedded and is_dummy:
            embedded = False
        if (
            verb in acts
            and verb[:7] in ("announc", "promise", "promisi")
            and kind not in ("name", "office", "he", "she")
        ):
            continue
        if verb.startswith("threaten") and kind in ("name", "office"):
            continue
        yield Attribution(found.start(), source, kind, verb in acts, plural, embedded, closes)
    for found in re.finditer(r"\b[Aa]ccording to ", bare):
        got = read_right(
            bare[found.end() : found.end() + REACH], start + found.end(), people, resolve
        )
        if got:
            yield Attribution(found.start(), got[0], got[1], False, got[2], False, True)

    if is_dummy:
        came = re.search(rf"\b(?:as|after|when|that) ([^,]{{0,60}}?(?<!\w){NAME})", bare)
        got = (
            read_phrase(came.group(1), start + came.start(1), people, resolve, is_title)
            if came
            else None
        )
        if came and got and got[1] == "name":
            yield Attribution(len(bare), got[0], got[1], False)


def without_between(left: str) -> tuple[str, str]:
    """Return the words before a verb without its adverbs and auxiliaries, and those.

    >>> without_between("Meyer has also ")
    ('Meyer ', 'has also ')
    """
    rest = left
    for _ in range(6):
        found = BETWEEN.search(rest[-60:])
        if not found:
            break
        rest = rest[: len(rest) - (len(rest[-60:]) - found.start())]
    return rest, left[len(rest) :]


def stripped_subject(left: str) -> bool:
    """Return whether a comma or a quotation stands right before a verb's adverbs."""
    return left.rstrip().endswith((",", "”"))


Reading = tuple[Source, str, bool]


class Resolver:
    """What the sentences before tell: whom "he" and "the minister" mean. See speakers.py."""

    def office(self, words: str, side: str, start: int) -> str:
        """Return the name of the person that an office without a name stands for."""
        raise NotImplementedError

    def group_of(self, is_plural: bool) -> Source:
        """Return the unnamed source that "the officials" or "one" refers back to."""
        raise NotImplementedError


def read_left(
    left: str, offset: int, people: People, resolve: Resolver, is_title: bool
) -> tuple[Source, str, bool, int, bool] | None:
    """Return the source that the words before a verb name, where it starts, and whether a relative."""
    words = left.rstrip()
    relative = re.search(r",? ?\b(?:who|which)\Z", words)
    if relative:
        words = words[: relative.start()].rstrip(" ,")
    # An apposition or aside between the name and the verb is stepped over.
    for _ in range(4):
        if not words:
            return None
        if words[-1] in ",–-)":
            mark = words[-1]
            opening = {",": ",", "–": "–", "-": " -", ")": "("}[mark]
            inner = words[:-1]
            at = inner.rfind(opening)
            if at < 0:
                return None
            aside, ahead = inner[at + len(opening) :], inner[:at].rstrip()
            got = classify(ahead, offset, people, resolve, is_title)
            if got and got[1] in ("name", "office", "role", "party"):
                named = got if got[1] == "name" else None
                inner_name = classify(aside, offset + at + len(opening), people, resolve, is_title)
                if not named and inner_name and inner_name[1] == "name":
                    return *inner_name, bool(relative)
                return *got, bool(relative)
            words = ahead if mark == ")" or "," in ahead else ""
            if mark == "," and words:
                words += ","
            continue
        got = classify(words, offset, people, resolve, is_title)
        return (*got, bool(relative)) if got else None
    return None


def classify(
    words: str, offset: int, people: People, resolve: Resolver, is_title: bool
) -> tuple[Source, str, bool, int] | None:
    """Return the source that the last noun phrase of some words names, and where it starts."""
    last = None
    for last in BOUNDARY.finditer(words):
        pass
    begin = last.end() if last else 0
    phrase = words[begin:]
    while True:
        filler = FILLER.match(phrase.lstrip())
        lead = len(phrase) - len(phrase.lstrip())
        if not filler or not filler.group():
            begin += lead
            phrase = phrase.lstrip()
            break
        begin += lead + filler.end()
        phrase = phrase.lstrip()[filler.end() :]
    phrase = phrase.rstrip()
    if not phrase or FIRST_PERSON.search(phrase):
        return None
    pronoun = PRONOUN.search(phrase)
    if pronoun:
        which = pronoun.group(1).lower()
        return Source(), which, which == "they", offset + begin
    got = read_phrase(phrase, offset + begin, people, resolve, is_title)
    return (*got, offset + begin) if got else None


def read_phrase(
    phrase: str, start: int, people: People, resolve: Resolver, is_title: bool
) -> Reading | None:
    """Return the source that a noun phrase names: a person, an office, a role or a party."""
    runs = list(re.finditer(NAME, phrase))
    name, at = "", 0
    if runs and re.fullmatch(r"\W{0,2}", phrase[runs[-1].end() :]):
        name, at = known_name(runs[-1].group(), runs[-1].start(), people, is_title)
        behind = phrase[:at]
        of_person = re.search(
            r"\b(?:for|of|to|by|from|with|on|in|against|near)(?: (?:Mr|Mrs|Ms|Dr|Sir|Lord|President|Minister|Secretary|Prime|Trade|Foreign)\.?)* \Z",
            behind,
        )
        if name and of_person:
            noun = ROLE_NOUN.search(behind)
            side = people.side(name)
            if noun and behind.split()[0].lower() not in ("in", "on", "at"):
                return Source("", side), "role", bool(PLURAL.search(noun.group()))
            name = ""
    if not name and runs:
        # "Manaspas Xuto of Thailand", "John Maslen for the delegation"
        first, at = known_name(runs[0].group(), runs[0].start(), people, is_title)
        if (
            first
            and re.match(r" (?:of|from|at|for|in) ", phrase[runs[0].end() :])
            and (
                not ROLE_NOUN.search(phrase[: runs[0].start()])
                or TITLE.search(phrase[: runs[0].start()])
            )
            and not re.search(r"\b(?:for|of|by|from|with) \Z", phrase[:at])
        ):
            name = first
    if name:
        return Source(people.named(name), side_of_name(name, phrase, people)), "name", False
    inside = people.parties_between(start, start + len(phrase))
    nouns = list(ROLE_NOUN.finditer(phrase))
    ends_with_party = bool(inside) and not re.search(
        r"\w", people.text[inside[-1].end : start + len(phrase)].replace("’s", "").replace("'s", "")
    )
    if ends_with_party and not nouns:
        if re.search(
            r"\b(?:in|to|with|from|against|between|on|for|by|of|at) (?:the )?\Z",
            phrase[: max(0, inside[-1].start - start)],
        ):
            return None
        both = [inside[-1].party]
        if len(inside) > 1 and re.fullmatch(
            r"\s*(?:and|or|,)(?: the)?\s*", people.text[inside[-2].end : inside[-1].start]
        ):
            both.append(inside[-2].party)
        return (
            Source("", ";".join(sorted({people.bloc(each) for each in both}))),
            "party",
            len(both) > 1,
        )
    if not nouns:
        return None
    head = nouns[0]
    # The head of "officials in the ministry" comes before the preposition, of "ministry officials" last.
    cut = re.search(
        r"\b(?:in|of|for|from|at|with|on|close to|familiar|involved|near|to)\b",
        phrase[head.end() :],
    )
    core = [each for each in nouns if not cut or each.start() < head.end() + cut.start()]
    head = core[-1] if core else head
    if re.search(
        r"\b(?:in|on|at|to|by|with|from|against|between|of|into|over)\s+(?:the |a |an |its |their )?(?:[\w@-]+ ){0,2}\Z",
        phrase[: head.start()],
    ) and not re.search(r"\bof\b", phrase[: head.start()]):
        return None
    side = side_of_phrase(phrase, start, people)
    plural = bool(PLURAL.search(head.group()))
    is_office = (
        bool(
            TITLE.search(head.group())
            or head.group().lower() in ("ambassador", "secretary", "leader", "chief", "minister")
        )
        and not plural
    )
    if is_office and not re.match(r"(?:an?|one|some|another|any|each|no)\b", phrase, re.IGNORECASE):
        person = resolve.office(phrase, side, start)
        if person:
            return Source(person, people.side(person) or side), "office", False
    return Source("", side), "role", plural


def known_name(words: str, at: int, people: People, is_title: bool) -> tuple[str, int]:
    """Return the name in a run of capitalised words, if it can be a person's, and where it starts."""
    name, begin = people.person(words, at)
    if not name:
        last = words.split()[-1]
        if last in people.by_word:
            return last, at + len(words) - len(last)
        return "", at
    if people.known(name) is None and (len(name.split()) == 1 or is_title):
        return "", at
    if (
        is_title
        and len(name.split()) > 1
        and people.known(name)
        and people.named(name).split()[0] != name.split()[0]
    ):
        last = name.split()[-1]
        return last, at + len(words) - len(last)
    return name, begin


def side_of_name(name: str, phrase: str, people: People) -> str:
    """Return the side of a named person, from the document or else from the phrase."""
    return people.side(name) or role_of(phrase, has_party=False)


def side_of_phrase(phrase: str, start: int, people: People) -> str:
    """Return the side of an unnamed source: the party in the phrase, its commodity, or its role."""
    inside = [people.bloc(m.party) for m in people.parties_between(start, start + len(phrase))]
    plain = phrase.lower()
    halves = re.split(r" and ", plain)
    role = role_of(phrase, has_party=bool(inside))
    if role:
        mixed = len(halves) > 1 and any(
            ROLE_NOUN.search(half) and not role_of(half, has_party=bool(inside)) for half in halves
        )
        return "" if mixed else role
    group = people.side_of_group(phrase)
    if group:
        return group
    if re.search(
        r"\b(?:both|two|either) (?:sides|countries|governments|nations|parties|leaders)\b", plain
    ):
        return ";".join(sorted(people.talks)) if len(people.talks) == 2 else ""
    if inside:
        return ";".join(sorted(set(inside[-2:]))) if len(halves) > 1 else inside[0]
    return people.side_of_office(phrase)


def read_right(right: str, start: int, people: People, resolve: Resolver) -> Reading | None:
    """Return the source that the words behind a verb name, as in '…,' said the minister."""
    lead = len(right) - len(right.lstrip())
    phrase = right.lstrip()
    end = None
    for found in STOPS_NAME.finditer(phrase):
        if found.group() == "." and re.search(
            r"(?:^|[\s.])[A-Z][a-z]?[a-z]?\Z", phrase[: found.start()]
        ):
            continue
        end = found.start()
        break
    phrase, rest = (phrase, "") if end is None else (phrase[:end], phrase[end:])
    pronoun = re.match(r"(he|she|they|it)\b", phrase)
    if pronoun:
        return Source(), pronoun.group(1), pronoun.group(1) == "they"
    if not phrase.strip() or re.match(
        r"(?:I|we|you|that|this|there|reporters|his|her|their)\b", phrase
    ):
        return None
    if not re.match(
        r"(?:an?|the|one|some|another|several|two|both|many|most|senior|top)\b|[A-Z@]|[a-z]+ (?:[a-z]+ )?[A-Z]|[a-z]+s\b|[a-z]+ [a-z]+s\b|[a-z@.-]+ \w+",
        phrase,
    ):
        return None
    runs = list(re.finditer(NAME, phrase))
    for run in runs:
        name, at = known_name(run.group(), run.start(), people, False)
        behind = phrase[:at]
        if name and not re.search(
            r"\b(?:for|of|to|by|with|from) (?:(?:Mr|Ms|Mrs|President|Prime|Minister)\.? )*\Z",
            behind,
        ):
            return Source(people.named(name), side_of_name(name, phrase, people)), "name", False
    apposed = re.match(rf", ({NAME})\s*(?:[,.]|\Z)", rest)
    if apposed and ROLE_NOUN.search(phrase):
        name, _ = known_name(apposed.group(1), 0, people, False)
        if name:
            return Source(people.named(name), side_of_name(name, phrase, people)), "name", False
    return read_phrase(phrase.rstrip(), start + lead, people, resolve, False)


def subject_of(
    bare: str, start: int, people: People, resolve: Resolver, is_title: bool
) -> Reading | None:
    """Return the source that the subject at the beginning of a sentence names."""
    lead = len(bare) - len(bare.lstrip(" -•“”‘’'\""))
    phrase = bare[lead : lead + REACH]
    filler = FILLER.match(phrase)
    if filler:
        lead += filler.end()
        phrase = phrase[filler.end() :]
    pronoun = re.match(r"(He|She|They|It)\b", phrase, re.IGNORECASE)
    if pronoun:
        return Source(), pronoun.group(1).lower(), pronoun.group(1).lower() == "they"
    titled = re.match(
        rf"((?:(?:the|an?|his|her|their|[\w’'@.-]+) ){{0,8}}?)({NAME})(?=['’]?[ ,(–-]|\Z)(?!['’]s)",
        phrase,
    )
    if titled:
        name, at = known_name(titled.group(2), titled.start(2), people, is_title)
        between = phrase[:at]
        if name and not re.search(
            r"\b(?:for|of|to|by|with|from|in|at|on|and|said|that|after|is|are|was|has|have|will)\b|[,;:]",
            between,
        ):
            return Source(people.named(name), side_of_name(name, between, people)), "name", False
    return None
