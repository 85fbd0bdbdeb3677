"""Second stage, beside the cues: when. The dates that a sentence names, and the day it reports on.

Dates are read in a marked sentence (see cues.py): explicit ones as they stand, relative ones
against the day of the event, or for 'today' and 'tomorrow' against the day of the text. Each is
told apart as ahead or behind: by itself ('last May', 'next week') or by the tense around it.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from tradegap.coding.prefilter import Prefilter

__all__ = ["When", "find_event_date", "find_told_date", "find_whens", "is_rough", "reach"]

MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
MONTHS |= {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
MONTHS |= {"sept": 9}
DAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
DAYS |= {name.lower(): number for number, name in enumerate(calendar.day_abbr) if name}
COUNTED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {name: number for number, name in enumerate(COUNTED, start=1)}
NUMBERS |= {"a": 1, "an": 1, "eleven": 11, "twelve": 12, "fifteen": 15, "twenty": 20, "thirty": 30}
NUMBERS |= {"forty": 40, "forty-five": 45, "sixty": 60, "ninety": 90, "hundred": 100}

LONG_MONTH = "january|february|march|april|may|june|july|august|september|october|november|december"
MONTH = rf"(?:{LONG_MONTH}|(?:jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)(?: \.)?)"
WEEKDAY = "(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
NUMBER = rf"(?:\d{{1,3}}|{'|'.join(sorted(NUMBERS, key=len, reverse=True))})"
NTH = r"(?:st|nd|rd|th)?"
NOT_A_DAY = r"(?! (?:pct|per|percent|%|mln|bln|million|billion|cents?|tonnes?|points?)\b)"


class When(NamedTuple):
    """One date that a sentence names: its place, its date as ISO text, and whether it is ahead.

    The date is a day, a month or a year; an empty string where the words give none of these.
    """

    start: int
    end: int
    date: str
    is_ahead: bool


class Days(NamedTuple):
    """The days that a text is read against: of the event it reports, and of the text itself."""

    event: date
    told: date


def month_number(name: str) -> int:
    """Return the number of a month given by its name or short form."""
    return MONTHS[name.rstrip(". ")]


def day_near(month: int, day: int, year: str | None, anchor: date) -> date | None:
    """Return a day of the year, in the year given or the one that puts it nearest to the anchor.

    >>> day_near(1, 15, None, date(2020, 11, 20))
    datetime.date(2021, 1, 15)
    """
    years = [int(year)] if year else [anchor.year - 1, anchor.year, anchor.year + 1]
    days = []
    for each in years:
        if 1 <= each <= 9999 and 1 <= day <= calendar.monthrange(each, month)[1]:
            days.append(date(each, month, day))
    return min(days, key=lambda each: abs((each - anchor).days - 60), default=None)


def month_after(anchor: date, count: int) -> tuple[int, int]:
    """Return the year and the number of the month some months after the anchor's."""
    months = anchor.year * 12 + anchor.month - 1 + count
    return months // 12, months % 12 + 1


def month_text(year: int, month: int) -> str:
    """Return a month as ISO text."""
    return f"{year:04d}-{month:02d}"


def last_day(year: int, month: int) -> date:
    """Return the last day of a month."""
    return date(year, month, calendar.monthrange(year, month)[1])


def next_weekday(anchor: date, weekday: str) -> date:
    """Return the first such day on or after the anchor."""
    return anchor + timedelta(days=(DAYS[weekday] - anchor.weekday()) % 7)


# What decides the tense of a date: the last of these words before it in its clause.
TENSE = re.compile(
    r" (?:(?P<ahead>will|'ll|shall|to(?! (?:an?|the|its|their|his|her|this|that|@\S+) )|due"
    r"|scheduled|slated|set|planned|plans?|planning|expected"
    r"|expects?|hopes?|hoping|aims?|aiming|should|must|can|could|may|might|deadline|ahead of"
    r"|until|till|by|before|starting|beginning|starts?|begins?|opens?|meets?|leaves?|arrives?"
    r"|visits?|resumes?|restarts?|returns?|expires?|next|coming|upcoming|forthcoming|eve of|would"
    r"|effective|unless|if|gathers?|holds?|hosts?|begins?|planning|scheduled|expected|planned"
    r"|likely|possible|proposed|threatened|reconvenes?|convenes?|concludes?|enters?|takes?)"
    r"|(?P<behind>said|says|told|announced|added|warned|reported|wrote|met|ended|began|came"
    r"|was|were|had|did|made|gave|took|went|spoke|held|broke|since|last|earlier|ago|left|began"
    r"|interview|statement|comments|remarks|speech|(?<! be )[a-z]{2,12}ed)"
    r"|be held|be [a-z]{2,12}(?:ed|en))(?= )"
)
PARTS = {
    "early": ("01", "10"),
    "mid": ("10", "20"),
    "later": ("01", "31"),
    "late": ("20", "31"),
    "end": ("21", "31"),
}
SOON_AFTER = re.compile(
    r"(?: \S{1,20}){0,3}"
    r" (?:will|shall|'ll|is to|are to|talks|round|meeting|summit|session|deadline)"
    r"(?= )"
)
TENSE_AFTER = re.compile(
    r"(?: (?!and |but |that |[;:\"])\S{1,20}){0,5}?"
    r" (?:(?P<ahead>will|shall|'ll|would|(?:is|are|was|were) to|due|set|expected|planned|scheduled"
    r"|proposed|slated|needed|needs|must|should|could|may)|(?!proceed|indeed)[a-z]{2,12}ed|said|told|met|began|came|was|were|had|has|have|made|gave|took"
    r"|went|spoke|held|broke)(?= )"
)
CLAUSE = re.compile(r" (?:[,;:\"]|and|but|that|which|who|after|as)(?= )")


def leans_ahead(marked: str, start: int, end: int | None = None) -> bool | None:
    """Return whether the words before a date put it ahead; None where they do not tell.

    Where they are silent, the words behind its `end` tell: "the envoy on Monday accused Peru".

    >>> leans_ahead(" they will meet on friday ", 15), leans_ahead(" he said on friday ", 8)
    (True, False)
    """
    before = marked[max(0, start - 70) : start] + " "
    told = list(TENSE.finditer(before))
    if not told:
        verb = TENSE_AFTER.match(marked, end) if end is not None else None
        return None if not verb else bool(verb["ahead"])
    is_behind = bool(told[-1]["behind"])
    return None if is_behind and CLAUSE.search(before, told[-1].end()) else not is_behind


@dataclass(frozen=True)
class Found:
    """A date in a marked sentence, as one of the FORMS."""

    match: re.Match[str]
    marked: str

    def __getitem__(self, group: str | int) -> str:
        """Return a part of the date."""
        return self.match[group]

    @property
    def words(self) -> str:
        """Return the words of the date, behind a blank."""
        return self.match.group()

    @property
    def after(self) -> str:
        """Return what stands behind it."""
        return self.marked[self.match.end() : self.match.end() + 40]

    def has(self, *words: str) -> bool:
        """Return whether one of some words is among those of the date, and not the last."""
        return any(f" {each} " in self.words for each in words)

    def leans_ahead(self) -> bool | None:
        """Return whether the words around the date put it ahead; None where they do not tell."""
        return leans_ahead(self.marked, self.match.start(), self.match.end())


def read_day(found: Found, days: Days) -> tuple[str, bool] | None:
    name, number = (found["m1"], found["d1"]) if found["m1"] else (found["m2"], found["d2"])
    day = day_near(month_number(name), int(number), found["year"], days.event)
    if day is None:
        return None
    # Some texts are dated after what they announce: "will take effect on May 3", printed on May 4.
    is_near = day >= min(days) - timedelta(days=31) and found.leans_ahead() is True
    return day.isoformat(), day >= min(days) or is_near


def read_iso(found: Found, days: Days) -> tuple[str, bool] | None:
    try:
        day = date(int(found[1]), int(found[2]), int(found[3]))
    except ValueError:
        return None
    return day.isoformat(), day >= min(days)


def read_month_year(found: Found, days: Days) -> tuple[str, bool] | None:
    year, month = int(found["year"]), month_number(found["month"])
    return month_text(year, month), (year, month) >= (days.event.year, days.event.month)


def read_month(found: Found, days: Days) -> tuple[str, bool] | None:
    month, here = month_number(found["month"]), days.event
    if found.has("last", "past", "since", "earlier"):
        return month_text(here.year - (month > here.month), month), False
    year = here.year + (month < here.month)
    if found.has("next") and month == here.month:
        year += 1
    is_ahead = found.leans_ahead()
    if found.has("by", "until", "till", "before", "next", "from", "to", "through"):
        is_ahead = True
    if re.search(r" (?:by|until|till|before|than) (?:the )?end of ", found.words):
        return last_day(year, month).isoformat(), True
    if month == here.month and found.has("early") and here.day > 15:
        is_ahead = False
    distance = (year - here.year) * 12 + month - here.month
    if is_ahead is None:
        is_ahead = distance <= 8
    if not is_ahead:
        year = here.year - (month > here.month)
    return month_text(year, month), is_ahead


def read_weekday(found: Found, days: Days) -> tuple[str, bool] | None:
    if found.has("last", "past", "previous"):
        day = next_weekday(days.event, found["day"]) - timedelta(days=7)
        return day.isoformat(), False
    day = next_weekday(days.event, found["day"])
    if found.has("next") and day <= days.told:
        day += timedelta(days=7)
    is_ahead = found.leans_ahead()
    if found.has("next", "this", "coming", "by", "until"):
        is_ahead = True
    if is_ahead is None:
        is_ahead = day > days.told and not re.match(r" (?:in a|that|after|when|,)", found.after)
    return day.isoformat(), is_ahead


def read_near_day(found: Found, days: Days) -> tuple[str, bool] | None:
    words = found.words.strip()
    if words == "the day after tomorrow":
        return (days.told + timedelta(days=2)).isoformat(), True
    if words == "tomorrow":
        return (days.told + timedelta(days=1)).isoformat(), True
    is_ahead = found.leans_ahead()
    if is_ahead is None or " talks" in found.after or " round" in found.after:
        is_ahead = bool(SOON_AFTER.match(found.after))
    return days.told.isoformat(), is_ahead


def read_weekend(found: Found, days: Days) -> tuple[str, bool] | None:
    is_ahead = found.leans_ahead()
    if found.has("last", "past") or (found.has("over the", "at the") and not is_ahead):
        return "", False
    saturday = next_weekday(days.event, "saturday")
    if days.event.weekday() == 6:
        saturday -= timedelta(days=1)
    return saturday.isoformat(), is_ahead is not False


def read_end_of_month(found: Found, days: Days) -> tuple[str, bool] | None:
    """As a limit ('by the end of the month') the last day is meant, else ('at …') the month."""
    year, month = month_after(days.event, int(found["which"] == "next"))
    if found["at"]:
        return month_text(year, month), found["which"] != "last"
    return last_day(year, month).isoformat(), found["which"] != "last"


def read_end_of_year(found: Found, days: Days) -> tuple[str, bool] | None:
    words = found.words
    if "last" in words:
        return month_text(days.event.year - 1, 12), False
    named = re.search(r"\d{4}", words)
    year = int(named.group()) if named else days.event.year + ("next" in words)
    return month_text(year, 12), year >= days.event.year


def read_other_month(found: Found, days: Days) -> tuple[str, bool] | None:
    which = found["which"]
    year, month = month_after(days.event, {"next": 1, "last": -1}.get(which, 0))
    is_ahead = which in ("next", "coming")
    if which == "this":
        told = found.leans_ahead()
        is_ahead = found.has("later") or (not found.has("earlier") and told is not False)
    return month_text(year, month), is_ahead


def read_other_year(found: Found, days: Days) -> tuple[str, bool] | None:
    which = found["which"]
    year = days.event.year + {"next": 1, "last": -1}.get(which, 0)
    is_ahead = which == "next"
    if which == "this":
        told = bool(found.leans_ahead())
        is_late = "later" in found.words or "second" in found.words
        is_ahead = is_late or (not found.has("earlier") and told)
    return str(year), is_ahead


def read_season(found: Found, days: Days) -> tuple[str, bool] | None:
    if found.has("last"):
        return str(days.event.year), False
    year = days.event.year + found.has("next")
    if found["season"] == "spring" and days.event.month > 6:
        year = days.event.year + 1
    return str(year), found.leans_ahead() is not False


def read_year(found: Found, days: Days) -> tuple[str, bool] | None:
    year = int(found["year"])
    if year == days.event.year:
        return str(year), found.leans_ahead() is True
    return str(year), days.event.year < year <= days.event.year + 60


def read_span(found: Found, days: Days) -> tuple[str, bool] | None:
    """'In two weeks' is a day, 'within two months' a month; 'in the next two weeks' is neither."""
    number = found["number"]
    count = int(number) if number.isdigit() else NUMBERS[number]
    is_span = found.has("in the", "over the", "during the")
    try:
        date_text = "" if is_span else counted_off(days.event, count, found["unit"])
    except OverflowError:
        return None
    is_ahead = found.leans_ahead()
    if is_ahead is None:
        is_ahead = found["unit"] != "year" and " first " not in found.marked
    return date_text, found.has("within") or is_ahead


def read_window(found: Found, days: Days) -> tuple[str, bool] | None:
    try:
        return counted_off(days.event, int(found["number"]), found["unit"]), True
    except OverflowError:
        return None


def counted_off(anchor: date, count: int, unit: str) -> str:
    """Return the day, month or year that lies so many units after a day, as ISO text.

    >>> counted_off(date(2019, 8, 21), 2, "week"), counted_off(date(2019, 8, 21), 5, "month")
    ('2019-09-04', '2020-01')
    """
    if unit == "month":
        return month_text(*month_after(anchor, count))
    if unit == "year":
        return str(anchor.year + count)
    return (anchor + timedelta(days=count * (7 if unit == "week" else 1))).isoformat()


def read_named_month(found: Found, days: Days) -> tuple[str, bool] | None:
    """'The June summit' is the coming one, whatever is said of it before."""
    month, here = month_number(found["month"]), days.event
    months = (month - here.month) % 12
    told = TENSE_AFTER.match(found.marked, found.match.end())
    if months > 8 or (told and not told["ahead"]):
        return read_month(found, days)
    return month_text(*month_after(here, months)), True


Reader = Callable[[Found, Days], "tuple[str, bool] | None"]
BEFORE_MONTH = (
    r"(?:in|by|until|till|before|late|early|mid|of|this|next|for|last|since|after|from|to|through"
    r"|during|around|between|and|or|as (?:early|soon|late) as|past|each|earlier"
    r"|(?:the )?(?:end|middle|beginning|start) of)"
)
WHAT_HAS_A_MONTH = (
    "deadline|meeting|summit|session|round|talks|visit|trip|conference|target|date|negotiations"
)
# In this order: what one form reads is not read again by those below.
FORMS: tuple[tuple[re.Pattern[str], Reader], ...] = tuple(
    (re.compile(rf" {pattern}(?= )"), reader)
    for pattern, reader in (
        (r"((?:19|20)\d\d)[-/](\d{1,2})[-/](\d{1,2})", read_iso),
        (
            rf"(?:(?P<m1>{MONTH}) (?P<d1>\d{{1,2}}){NTH}(?:[-/][a-z0-9]{{1,12}})?{NOT_A_DAY}"
            rf"|(?P<d2>\d{{1,2}}){NTH}(?:-\d{{1,2}}{NTH})?(?: of)? (?P<m2>{MONTH}))"
            r"(?:(?: ,)? (?P<year>(?:19|20)\d\d))?",
            read_day,
        ),
        (
            r"(?:(?:(?P<at>at) )?(?:the )?end of (?P<which>the|this|next|last) month"
            r"|month(?:-| )end)",
            read_end_of_month,
        ),
        (
            r"(?:(?:the )?end of (?:(?:the|this|next|last) (?:calendar )?year|(?:19|20)\d\d)"
            r"|(?:the )?(?:year(?:-| )end|year end)|end-(?:19|20)\d\d|end (?:19|20)\d\d)",
            read_end_of_year,
        ),
        (
            rf"(?:{BEFORE_MONTH} )?(?:(?:early|late|mid)(?:-| ))?(?P<month>{MONTH})(?: of)?"
            r"(?: ,)? (?P<year>(?:19|20)\d\d)",
            read_month_year,
        ),
        (
            rf"(?:(?:{BEFORE_MONTH} ){{1,2}}(?:- )?|(?:early|late|mid)-)"
            rf"(?:(?:late|early|mid)(?:-| ))?(?P<month>{MONTH})",
            read_month,
        ),
        (rf"(?P<month>{MONTH}) (?:[a-z]{{3,14}} )?(?:{WHAT_HAS_A_MONTH})", read_named_month),
        (
            rf"(?:(?:on|next|this|coming|last|past|previous|late|early|by|until|from) ){{0,2}}"
            rf"(?P<day>{WEEKDAY})",
            read_weekday,
        ),
        (
            r"(?:the day after tomorrow|tomorrow|today|tonight"
            r"|this (?:morning|afternoon|evening))",
            read_near_day,
        ),
        (
            r"(?:yesterday|last (?:night|week)|ago|earlier this (?:week|month|year))",
            lambda found, days: ("", False),
        ),
        (
            r"(?:(?:this|the|next|coming|last|past|over the|at the) )(?:coming )?weekend",
            read_weekend,
        ),
        (
            r"(?:(?:early|late|later|earlier|in the course of|by|in the second half of"
            r"|in mid) )?(?P<which>next|this|last|coming) month",
            read_other_month,
        ),
        (
            r"(?:(?:early|late|later|earlier|sometime|(?:first|second) half of"
            r"|(?:first|second|third|fourth) quarter of) )?(?P<which>next|this|last) year",
            read_other_year,
        ),
        (
            r"(?:(?:in|by|this|next|last|until) (?:the )?)(?:(?:early|late|end of the|end of"
            r"|beginning of the|coming|northern|following) )?"
            r"(?P<season>fall|autumn|summer|winter|spring)(?! in )",
            read_season,
        ),
        (
            rf"(?:(?:in|within)(?: the)?|(?:over|during) the)(?: next| coming| following)?"
            rf"(?: about| around| another| just| roughly)? (?P<number>{NUMBER})"
            r" (?P<unit>day|week|month|year)s?(?! (?:of|ago|period) )",
            read_span,
        ),
        (
            r"(?P<number>\d{1,3})-(?P<unit>day|week|month)(?: \w{1,12})?"
            r" (?:truce|window|countdown|period|deadline|pause|reprieve|extension|ceasefire|clock"
            r"|delay|limit|notice)",
            read_window,
        ),
        (
            r"(?:next week|(?:the )?week after next|the following week"
            r"|coming (?:days|weeks|months)|next (?:few|couple of) (?:days|weeks|months)"
            r"|(?:very )?(?:soon|shortly)|near future|in due course"
            r"|as soon as (?:possible|practicable)|before long"
            r"|later (?:this|in the) week|early next week)",
            lambda found, days: ("", True),
        ),
        (
            r"(?:this week|over the next (?:\S{1,12} )?(?:days|weeks|months))",
            lambda found, days: ("", found.leans_ahead() is not False),
        ),
        (
            r"(?:(?:in|by|until|till|from|of|for|before|during|after|since|the year) ){1,2}"
            r"(?:early |late |mid-|about )?(?P<year>(?:19|20)\d\d)",
            read_year,
        ),
    )
)


@cache
def form_prefilter() -> Prefilter:
    """Return the forms, to be looked up by words."""
    return Prefilter([pattern for pattern, _ in FORMS])


def find_whens(marked: str, event: date, told: date | None = None) -> list[When]:
    """Return the dates that a marked sentence names, in order.

    >>> find_whens(" they will meet again on thursday . ", date(2019, 8, 21))
    [When(start=21, end=33, date='2019-08-22', is_ahead=True)]
    """
    days = Days(event, told or event)
    whens = []
    rest = marked
    for number in form_prefilter().candidates(marked):
        pattern, reader = FORMS[number]
        parts, last = [], 0
        for found in pattern.finditer(rest):
            read = reader(Found(found, marked), days)
            if read is not None:
                whens.append(When(found.start(), found.end(), *read))
                blank = " " + "~" * (found.end() - found.start() - 1)
                parts += [rest[last : found.start()], blank]
                last = found.end()
        if parts:
            rest = "".join([*parts, rest[last:]])
    return sorted(whens)


def is_rough(when: When, marked: str) -> bool:
    """Return whether a day was counted off: "in five weeks", "a 90-day truce"."""
    return bool(re.search(r"\b(?:day|week|month)s?\b", marked[when.start : when.end]))


def reach(when: When, marked: str, event: date) -> tuple[str, str] | None:
    """Return the first and the last day that a loosely told time may mean, as ISO text.

    >>> reach(When(0, 10, "", True), " next week ", date(2019, 8, 21))
    ('2019-08-26', '2019-09-01')
    """
    words = marked[when.start : when.end]
    if len(when.date) == 7:
        part = re.search(r"\b(?:early|mid|later?|end)\b", words)
        ends = PARTS[part.group()] if part else None
        return (f"{when.date}-{ends[0]}", f"{when.date}-{ends[1]}") if ends else None
    try:
        if len(when.date) == 10 and is_rough(when, marked):
            day = date.fromisoformat(when.date)
            slack = timedelta(days=max(4, abs((day - event).days) // 7))
            return (day - slack).isoformat(), (day + slack).isoformat()
        if when.date or " week" not in words:
            return None
        weeks = 2 if "after next" in words else int("next" in words or "following" in words)
        # On a Sunday, this week is the coming one.
        first = event + timedelta(days=7 * weeks + 1 - (event.weekday() + 1) % 7)
        last = first + timedelta(days=6)
    except OverflowError:
        return None
    return (first if first > event else event).isoformat(), last.isoformat()


def find_event_date(opening: str, published: date) -> date:
    """Return the day that the lead reports on: of a dateline, a weekday or 'yesterday'.

    >>> find_event_date("The minister said on Wednesday there were gaps.", date(2019, 8, 22))
    datetime.date(2019, 8, 21)
    """
    dateline = read_dateline(opening, published)
    if dateline:
        return dateline
    said = re.search(
        rf"\b(?:on |late |this )?(?<!next )({WEEKDAY}|yesterday|today|last night)\b",
        opening.lower(),
    )
    if not said or said[1] == "today":
        return published
    if said[1] in ("yesterday", "last night"):
        return published - timedelta(days=1)
    return published - timedelta(days=(published.weekday() - DAYS[said[1]]) % 7)


def find_told_date(opening: str, published: date) -> date:
    """Return the day that 'today' means: of a dateline, else of publication."""
    return read_dateline(opening, published) or published


def read_dateline(opening: str, published: date) -> date | None:
    """Return the day of a dateline, where it lies within a week of publication.

    >>> read_dateline("LIMA, March 5 - Talks resumed.", date(1992, 3, 6))
    datetime.date(1992, 3, 5)
    """
    month = MONTH.replace(r"(?: \.)?", r"\.?")
    dateline = re.match(
        rf"[^-–—\n]{{2,40}}, (?:({month}) (\d{{1,2}})|(\d{{1,2}}) ({month}))"
        r"\s*(?:\([^)\n]{1,30}\) ?)?[-–—]",
        opening.lower(),
    )
    if not dateline:
        return None
    name, number = dateline[1] or dateline[4], dateline[2] or dateline[3]
    years = (published.year - 1, published.year, published.year + 1)
    near = [day_near(month_number(name), int(number), str(year), published) for year in years]
    days = [each for each in near if each and abs((each - published).days) <= 7]
    return days[0] if days else None
