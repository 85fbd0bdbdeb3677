"""First stage: the day of publication that a file name or a piece of text states."""

from __future__ import annotations

import re
from datetime import date

__all__ = ["as_day", "day_in_name", "parse_day"]

MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
NUMBERS = re.compile(r"(?<!\d)((?:19|20)\d\d)([-_./]?)(\d\d)\2(\d\d)(?!\d)")
DAY_FIRST = re.compile(
    r"(?<!\d)(\d{1,2})(?:st|nd|rd|th)?[ -]([A-Za-z]{3,9})\.?,?[ -]((?:19|20)\d\d)"
)
MONTH_FIRST = re.compile(r"\b([A-Za-z]{3,9})\.? (\d{1,2})(?:st|nd|rd|th)?,? ((?:19|20)\d\d)")


def as_day(given: date | str | None) -> date | None:
    """Return a day given as a date or as YYYY-MM-DD; None where it is neither.

    >>> as_day("2019-08-21"), as_day("21/8")
    (datetime.date(2019, 8, 21), None)
    """
    if given is None or isinstance(given, date):
        return given
    try:
        return date.fromisoformat(given.strip())
    except ValueError:
        return None


def day_in_name(name: str) -> date | None:
    """Return the first day that a file name holds as 2019-08-21 or 20190821, if any.

    >>> day_in_name("talks-2019-08-21.txt"), day_in_name("report-20191341.txt")
    (datetime.date(2019, 8, 21), None)
    """
    for match in NUMBERS.finditer(name):
        day = make_day(int(match[1]), int(match[3]), int(match[4]))
        if day:
            return day
    return None


def parse_day(text: str) -> date | None:
    """Return the day that a date in words or figures names, as its writer's clock had it.

    21/08/2019 is left alone: nobody can tell 3/8 from 8/3.

    >>> parse_day("2019-08-21T23:30:00-04:00"), parse_day("August 21, 2019")
    (datetime.date(2019, 8, 21), datetime.date(2019, 8, 21))
    >>> parse_day("Wed, 21 Aug 2019"), parse_day("soon")
    (datetime.date(2019, 8, 21), None)
    """
    text = text[:200]
    figures = re.match(r"\s*((?:19|20)\d\d)([-/.]?)(\d\d)\2(\d\d)(?:T?\d{4,6}Z?)?(?!\d)", text)
    if figures:
        return make_day(int(figures[1]), int(figures[3]), int(figures[4]))
    if words := DAY_FIRST.search(text):
        return make_day(int(words[3]), month(words[2]), int(words[1]))
    if words := MONTH_FIRST.search(text):
        return make_day(int(words[3]), month(words[1]), int(words[2]))
    return None


def month(word: str) -> int:
    """Return the number of a month's English name or its first letters; 0 if it is none."""
    start = word[:3].lower()
    return MONTHS.index(start) + 1 if start in MONTHS else 0


def make_day(year: int, month: int, day: int) -> date | None:
    """Return the day, or None where the calendar has no such day."""
    try:
        return date(year, month, day)
    except ValueError:
        return None
