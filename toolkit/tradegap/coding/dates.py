"""Second stage, beside the cues: what lies ahead, and when.

A forward event needs a word for what is to come (will meet, due, deadline) and is dated where the
sentence says when: against the day of the event it reports, by tense and weekday.
"""

from __future__ import annotations

import calendar
import re
from datetime import date, timedelta
from functools import cache
from typing import NamedTuple

from tradegap.coding.cues import as_printed, compile_pattern, read_rows
from tradegap.coding.parties import DATELINE

__all__ = ["Forward", "find_event_date", "find_forward", "resolve_date"]

MONTHS = {name.lower(): number for number, name in enumerate(calendar.month_name) if name}
MONTHS |= {name.lower(): number for number, name in enumerate(calendar.month_abbr) if name}
MONTHS |= {"sept": 9}
DAYS = {name.lower(): number for number, name in enumerate(calendar.day_name)}
COUNTED = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {"a": 1} | {name: number for number, name in enumerate(COUNTED, start=1)}
MONTH = r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
MONTH += r"|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)\.?"
WEEKDAY = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday)"
DAY_OF_MONTH = re.compile(
    rf"\b(?:({MONTH}) (\d{{1,2}})(?:st|nd|rd|th)?(?!\d)"
    rf"|(\d{{1,2}})(?:st|nd|rd|th)?(?: of)? ({MONTH})\b)"
    r"(?:,? (\d{4}))?"
)
MONTH_ONLY = re.compile(
    rf"\b(?:in|by|until|till|before|late|early|mid|end of|this|next|for|of)[ -]({MONTH})(?!\w)"
    r"(?: (\d{4}))?"
)
# "said on Monday", "announced late Thursday": the day of the words, not of what they announce.
SAID_ON = re.compile(
    rf"\b(?:said|says|told \w+|announced|added|warned|reported|wrote|statement|interview|conference"
    rf"|released|on|last|late|late on|forced on|yesterday)(?: (?:on|late|last))? {WEEKDAY}\b"
)
MONTH_YEAR = re.compile(rf"\b({MONTH}) (\d{{4}})\b")
ON_WEEKDAY = re.compile(rf"(?<!last )\b({WEEKDAY})\b")
AFTER = re.compile(
    r"\b(?:in|within)(?: the)?(?: next)? (?:about )?"
    r"(\d{1,3}|a|one|two|three|four|five|six|seven|eight|nine|ten)"
    r" (day|week|month|year)s?\b"
)
YEAR = re.compile(r"\b(?:in|by|until|from|of) ((?:19|20)\d\d)\b")


class Forward(NamedTuple):
    """What lies ahead, and its date: a day, a month, a year, or an empty string."""

    text: str
    date: str


def month_number(name: str) -> int:
    """Return the number of a month given by its name or short form."""
    return MONTHS[name.rstrip(".")]


def day_near(month: int, day: int, year: str | None, anchor: date) -> date | None:
    """Return a day of the year, in the year given or the one that puts it nearest to the anchor."""
    years = [int(year)] if year else [anchor.year - 1, anchor.year, anchor.year + 1]
    days = []
    for each in years:
        if 1 <= day <= calendar.monthrange(each, month)[1] if 1 <= each <= 9999 else False:
            days.append(date(each, month, day))
    return min(days, key=lambda each: abs((each - anchor).days + 60), default=None)


def month_end(year: int, month: int) -> date:
    """Return the last day of a month; month 13 is January of the next year."""
    year, month = year + (month - 1) // 12, (month - 1) % 12 + 1
    return date(year, month, calendar.monthrange(year, month)[1])


def resolve_date(words: str, anchor: date) -> str | None:
    """Return the first date that words point to on or after the anchor, as ISO text.

    An empty string where the words say when but not which day, month or year; None where they say
    nothing of the future.

    >>> resolve_date("will meet again on Thursday", date(2019, 8, 21))
    '2019-08-22'
    >>> resolve_date("by the end of next month", date(2020, 9, 2))
    '2020-10-31'
    """
    plain = words.lower().replace("’", "'")
    plain = re.sub(rf"\b(next|this|coming) ({WEEKDAY})", r"\2", plain)
    plain = SAID_ON.sub(lambda found: found.group() if is_ahead(plain, found) else "", plain)
    days = []
    for found in DAY_OF_MONTH.finditer(plain):
        month = month_number(found[1] or found[4])
        days.append(day_near(month, int(found[2] or found[3]), found[5], anchor))
    ahead = [day for day in days if day and day >= anchor]
    if days:
        return ahead[0].isoformat() if ahead else None
    if "tomorrow" in plain:
        return (anchor + timedelta(days=1)).isoformat()
    if "weekend" in plain and re.search(r"\b(?:this|the|next|coming) (?:\w+ )?weekend", plain):
        return (anchor + timedelta(days=(5 - anchor.weekday()) % 7)).isoformat()
    ends = re.search(r"\bend of (the|this|next) (month|year)\b", plain)
    if ends:
        if ends[2] == "year":
            return f"{anchor.year + (ends[1] == 'next')}-12"
        return month_end(anchor.year, anchor.month + (ends[1] == "next")).isoformat()
    if re.search(r"\b(?:today|tonight|this (?:morning|afternoon|evening))\b(?!')", plain):
        return anchor.isoformat()
    weekday = ON_WEEKDAY.search(plain)
    if weekday:
        later = (DAYS[weekday[1]] - anchor.weekday()) % 7
        return (anchor + timedelta(days=later)).isoformat()
    for pattern in (MONTH_YEAR, MONTH_ONLY):
        named = pattern.search(plain)
        if named:
            month = month_number(named[1])
            year = int(named[2]) if named[2] else anchor.year + (month < anchor.month)
            if f"mid-{named[1]}" in plain:
                return f"{year}-{month:02d}-15"
            return f"{year}-{month:02d}" if (year, month) >= (anchor.year, anchor.month) else None
    after = AFTER.search(plain)
    if after:
        return date_after(after[1], after[2], anchor)
    return vague_date(plain, anchor)


def is_ahead(plain: str, found: re.Match[str]) -> bool:
    """Return whether a weekday after a word such as 'on' belongs to what lies ahead.

    It does where a word for what is to come stands closer before it than a verb of saying.
    """
    before = plain[max(0, found.start() - 60) : found.start()]
    if not re.match(r"on |late ", found.group()):
        return False
    said = re.search(r"\b(?:said|told|announced|warned|agreed|met|ended|began)\b[^,;]*\Z", before)
    return not said or bool(re.search(r"\b(?:will|to|due|scheduled|would)\b", said.group()))


def date_after(number: str, unit: str, anchor: date) -> str:
    """Return the date some days, weeks, months or years after the anchor."""
    count = int(number) if number.isdigit() else NUMBERS[number]
    if unit in ("day", "week"):
        return (anchor + timedelta(days=count * (7 if unit == "week" else 1))).isoformat()
    if unit == "month":
        return month_end(anchor.year, anchor.month + count).isoformat()[:7]
    return str(anchor.year + count)


def vague_date(plain: str, anchor: date) -> str | None:
    """Return a month or a year for words such as 'next month'; None without such words."""
    if re.search(r"\bnext week\b", plain):
        monday = anchor + timedelta(days=7 - anchor.weekday())
        sunday = monday + timedelta(days=6)
        return monday.isoformat()[:7] if monday.month == sunday.month else ""
    if re.search(r"\bnext month\b", plain):
        return month_end(anchor.year, anchor.month + 1).isoformat()[:7]
    if re.search(r"\b(?:later )?this month\b", plain):
        return anchor.isoformat()[:7]
    if re.search(r"\bnext year\b", plain):
        return str(anchor.year + 1)
    if re.search(
        r"\b(?:later )?this (?:year|fall|autumn|summer|winter)|in the (?:fall|autumn)\b", plain
    ):
        return str(anchor.year)
    year = YEAR.search(plain)
    if year and int(year[1]) >= anchor.year:
        return year[1]
    if re.search(
        r"\bthis week|coming (?:days|weeks|months)|shortly|soon|immediately|next (?:round|few)",
        plain,
    ):
        return ""
    return None


@cache
def forward_patterns() -> list[tuple[str, re.Pattern[str]]]:
    """Return the kinds of forward event with their patterns, from cues/forward.csv."""
    rows = read_rows("forward.csv")
    return [
        (row["kind"], compile_pattern(row["pattern"], f"cues/forward.csv:row {number}"))
        for number, row in enumerate(rows, start=2)
    ]


def find_forward(text: str, marked: str, anchor: date) -> Forward | None:
    """Return what a sentence announces of the talks; None where it announces nothing.

    `marked` is the sentence as the cues read it.

    >>> find_forward("They will meet again on Thursday.", " they will meet again on thursday . ",
    ...              date(2019, 8, 21))
    Forward(text='will meet again on Thursday', date='2019-08-22')
    """
    dateline = DATELINE.match(text)
    text = text[dateline.end() :] if dateline else text
    for kind, pattern in forward_patterns():
        found = pattern.search(marked)
        if not found:
            continue
        words = found.group().strip()
        if kind == "no date":
            return Forward(as_printed(words, text), "")
        when = resolve_date(text, anchor)
        if when is None and kind == "needs a date":
            continue
        return Forward(as_printed(extend(marked, found), text), when or "")
    return None


def extend(marked: str, found: re.Match[str]) -> str:
    """Return the words of a match with those that follow, up to a stop or an attribution."""
    rest = re.match(
        r"(?: (?!, (?:and|but|while|which|(?:\S+ ){1,4}said) )[^\s.;:\"]+){0,24}",
        marked[found.end() :],
    )
    return found.group() + (rest.group() if rest else "")


def find_event_date(opening: str, published: date) -> date:
    """Return the day that the lead reports on: of a dateline, a weekday or 'yesterday'.

    >>> find_event_date("The minister said on Wednesday there were gaps.", date(2019, 8, 22))
    datetime.date(2019, 8, 21)
    """
    plain = opening.lower()
    dateline = re.match(rf"[^-–—\n]{{2,40}}, ({MONTH}) (\d{{1,2}}) [-–—]", plain)
    if dateline:
        day = day_near(month_number(dateline[1]), int(dateline[2]), None, published)
        if day and abs((day - published).days) <= 7:
            return day
    said = re.search(
        rf"\b(?:on |late |this )?(?<!next )({WEEKDAY}|yesterday|today|last night)\b", plain
    )
    if not said or said[1] == "today":
        return published
    if said[1] in ("yesterday", "last night"):
        return published - timedelta(days=1)
    return published - timedelta(days=(published.weekday() - DAYS[said[1]]) % 7)
