"""Outside the flow: documents that may be about a negotiation, from a news index or a feed.

What comes is a list to read through: title, day, publisher, link. No text is taken, and nothing
enters the record by itself.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from itertools import combinations
from typing import Any
from urllib.parse import urlsplit

import pandas as pd
from lxml import etree

from tradegap.errors import FetchError
from tradegap.fetch.web import Service, as_json, connect
from tradegap.tables import conform, empty, split_list
from tradegap.talks import Negotiation, read_negotiation, read_parties

__all__ = ["GDELT", "find_news"]

GDELT = "https://api.gdeltproject.org/api/v2/doc/doc"
MOST = 250  # articles that GDELT lists at once
PAUSE = 5.0  # seconds between two questions, as it asks
ABOUT = "(trade OR tariff OR tariffs)"


def find_news(
    talks: str,
    source: str,
    *,
    first: date | None = None,
    last: date | None = None,
    base_url: str = "",
    service: Service | None = None,
) -> tuple[pd.DataFrame, list[str]]:
    """Return one row per candidate document, and one line per item that cannot be one.

    From the day the talks opened to their end, unless `first` and `last` say otherwise. For "rss"
    `base_url` is the feed; of its items those are kept that name two of the parties.
    """
    negotiation = read_negotiation(talks)
    first = first or negotiation.opened_on
    last = last or negotiation.ended_on or date.today()
    if source == "rss" and not (base_url or service):
        raise FetchError("--base-url: is not given; for rss it takes the address of a feed")
    service = service or connect(base_url or GDELT)
    if source == "gdelt":
        found, refused = ask_gdelt(service, negotiation, first, last)
    else:
        found, refused = read_feed(service, negotiation)
    rows = pd.DataFrame(found, columns=empty("candidates").columns)
    rows = rows.astype({"published": "datetime64[us]"})
    within = rows["published"].between(pd.Timestamp(first), pd.Timestamp(last))
    rows = rows[within].drop_duplicates("link").sort_values(["published", "link"])
    return conform(rows, "candidates"), refused


def name_words(party: str) -> list[str]:
    """Return the names by which a search finds a party.

    >>> name_words("Japan")
    ['Japan', 'Japanese']
    """
    row = read_parties().set_index("party").loc[party]
    return list(dict.fromkeys([row["party_name"], *split_list(row["adjective"])]))


def feed_words(party: str) -> re.Pattern[str]:
    """Return what finds a party in a headline: its names, capitals and offices among them.

    >>> bool(feed_words("US").search("Tokyo, Washington to meet"))
    True
    """
    aliases = read_parties().set_index("party").loc[party, "aliases"]
    words = [party, *name_words(party), *split_list(aliases)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, words))})(?!\w)")


def ask_gdelt(
    service: Service,
    negotiation: Negotiation,
    first: date,
    last: date,
) -> tuple[list[dict[str, Any]], list[str]]:
    """Ask GDELT's document service, once for each pair of parties."""
    found: list[dict[str, Any]] = []
    refused: list[str] = []
    names = {party: name_words(party) for party in negotiation.parties}
    for number, pair in enumerate(combinations(negotiation.parties, 2)):
        if number:
            service.sleep(PAUSE)
        said = " ".join(f"({' OR '.join(quoted(name) for name in names[party])})" for party in pair)
        query = {
            "query": f"{said} {ABOUT} sourcelang:english",
            "mode": "ArtList",
            "format": "json",
            "maxrecords": str(MOST),
            "sort": "DateAsc",
            "startdatetime": f"{first:%Y%m%d}000000",
            "enddatetime": f"{last:%Y%m%d}235959",
        }
        answer = as_json(service.get("", query), service)
        # Where it finds nothing it answers with an empty object.
        articles = answer.get("articles", []) if isinstance(answer, dict) else None
        if not isinstance(articles, list) or (answer and "articles" not in answer):
            raise FetchError(
                f"{service.host}: found {service.cut(str(answer))}; it takes a list of articles."
                " The service's form may have changed"
            )
        if len(articles) == MOST:
            refused.append(f"{service.host}: lists {MOST} and no more; ask for fewer days")
        for place, each in enumerate(articles, start=1):
            try:
                published = datetime.strptime(each["seendate"], "%Y%m%dT%H%M%SZ").date()
                row = candidate(published, each["title"], each["domain"], each["url"])
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                refused.append(f"{service.host}: article {place}: {told(error)}")
                continue
            found.append(row)
    return found, refused


def read_feed(service: Service, negotiation: Negotiation) -> tuple[list[dict[str, Any]], list[str]]:
    """Read a feed, RSS or Atom; keep what names two of the parties."""
    raw = service.get("", {})
    # Nothing that a feed declares is looked up or unfolded.
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise FetchError(
            f"{service.host}: is no whole feed ({told(error)}); check --base-url"
        ) from None
    items = root.xpath("//*[local-name()='item' or local-name()='entry']")
    if not items and not root.xpath("//*[local-name()='channel' or local-name()='feed']"):
        raise FetchError(f"{service.host}: found <{root.tag}>, which is no feed; check --base-url")
    channel = first_text(root, ["channel/title", "title"]) or service.host
    patterns = [feed_words(party) for party in negotiation.parties]
    found: list[dict[str, Any]] = []
    refused: list[str] = []
    for place, item in enumerate(items, start=1):
        title = first_text(item, ["title"])
        text = f"{title} {first_text(item, ['description', 'summary', 'content'])}"
        if sum(bool(pattern.search(text)) for pattern in patterns) < 2:
            continue
        when = first_text(item, ["pubDate", "published", "date", "updated"])
        hrefs = item.xpath("*[local-name()='link']/@href")
        link = first_text(item, ["link"]) or (str(hrefs[0]) if hrefs else "")
        try:
            published = as_day(when)
            row = candidate(published, title, first_text(item, ["source"]) or channel, link)
        except (ValueError, TypeError) as error:
            refused.append(f"{service.host}: item {place}: {told(error)}")
            continue
        found.append(row)
    return found, refused


def candidate(published: date, title: str, publisher: str, link: str) -> dict[str, Any]:
    """Return one row; raise ValueError for what is none."""
    title, publisher, link = (" ".join(str(each).split()) for each in (title, publisher, link))
    if not title:
        raise ValueError("has no title")
    if urlsplit(link).scheme not in ("http", "https") or " " in link:
        raise ValueError(f"found the link '{link[:80]}'; it takes an address")
    publisher = publisher or urlsplit(link).netloc
    return {"published": published, "title": title, "publisher": publisher, "link": link}


def as_day(text: str) -> date:
    """Return the day of a feed's date, of either form.

    >>> as_day("Wed, 21 Aug 2019 08:00:00 GMT"), as_day("2019-08-21T08:00:00Z")
    (datetime.date(2019, 8, 21), datetime.date(2019, 8, 21))
    """
    if re.match(r"\d{4}-\d\d-\d\d", text):
        return date.fromisoformat(text[:10])
    try:
        return parsedate_to_datetime(text).date()
    except (TypeError, ValueError):
        raise ValueError(f"found the date '{text[:40]}'; it takes one as feeds have them") from None


def first_text(node: Any, paths: list[str]) -> str:
    """Return the text of the first of some paths that has any, tags taken off."""
    for path in paths:
        steps = "/".join(f"*[local-name()='{step}']" for step in path.split("/"))
        for each in node.xpath(steps):
            text = unescape(re.sub(r"<[^>]*>", " ", "".join(each.itertext())))
            if text.strip():
                return " ".join(text.split())
    return ""


def quoted(name: str) -> str:
    """Return a name as a search takes it: in quotes where it has more words or stops.

    >>> quoted("United States"), quoted("Japan")
    ('"United States"', 'Japan')
    """
    return name if name.isalnum() else f'"{name}"'


def told(error: Exception) -> str:
    """Return an error in one short line."""
    words = " ".join(str(error).split())[:120]
    return f"has no {words}" if isinstance(error, KeyError) else words
