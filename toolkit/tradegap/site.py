"""Last stage: what lies around the pages: home page, feed, data package, dictionary, script.

All of it is made from the specs and from what each page's `.json` keeps of its latest reading, so
that it carries no date but those of the data, and one of its own only while a page is not current.
"""

from __future__ import annotations

import csv
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

import tradegap
from tradegap import publish
from tradegap.build import Result, judge_pages
from tradegap.errors import PageError
from tradegap.pages import SCRIPT, TEMPLATES, day, frame, render
from tradegap.specs import Spec, SpecLoader
from tradegap.tables import Table, declared_tables

__all__ = ["SITE_FILES", "build_site", "describe_downloads"]

SITE_FILES = ("index.html", "feed.xml", "data.html", "datapackage.json", SCRIPT)
LICENCE = {
    "name": "CC-BY-4.0",
    "title": "Creative Commons Attribution 4.0",
    "path": "https://creativecommons.org/licenses/by/4.0/",
}
ENTRIES = 60  # of the feed, the latest
LATEST = 5  # changes told on the home page


@dataclass(frozen=True)
class Listed:
    """One page as the home page lists it; `status` is current, stale, failed or not built yet."""

    spec: Spec
    is_there: bool
    status: str = "current"
    since: str = ""
    reason: str = ""
    record: Mapping[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """What kind of page it is: its notebook, in words."""
        return self.spec.notebook.stem.replace("_", " ")

    @property
    def talks(self) -> list[str]:
        """The negotiations that it is about, as its parameters name them."""
        given = self.spec.parameters.get("talks", "")
        names = given if isinstance(given, list) else re.split(r"[;,\s]+", str(given))
        told = self.record.get("reading", {}).get("talks", [])
        return list(dict.fromkeys([*(str(name) for name in names if name), *told]))

    @property
    def issues(self) -> list[str]:
        """The issues that it is about, by its parameters and its figures."""
        given = str(self.spec.parameters.get("issue", ""))
        return sorted({*self.reading.get("issues", []), *([given] if given else [])})

    @property
    def reading(self) -> Mapping[str, Any]:
        """What its figures say last."""
        return self.record.get("reading", {}) if self.is_there else {}

    @property
    def table(self) -> Table | None:
        """The declared table that its figures are."""
        return declared_tables().get(self.reading.get("table", ""))

    @property
    def what(self) -> str:
        """What its reading is of."""
        return str(self.table.reading.get("title", "")) if self.table else ""

    @cached_property
    def series(self) -> list[tuple[date, list[float]]]:
        """The days of its reading, each with the value and its band."""
        split = [point.split() for point in self.reading.get("series", [])]
        return [(date.fromisoformat(on), [*map(float, rest)]) for on, *rest in split]

    @cached_property
    def lines(self) -> list[list[tuple[float, float]]]:
        """The points of each line of its reading, where that has several: along, and value."""
        lines = self.reading.get("lines", {}).values()
        return [[(float(x), float(y)) for x, y in map(str.split, line)] for line in lines]

    @property
    def counts(self) -> list[tuple[str, int]]:
        """The codes that its reading counts; a code for none of them is left out."""
        found = self.reading.get("counts", {}).items()
        return [(code, count) for code, count in found if count and code != "none"]

    @property
    def told(self) -> str:
        """The reading in words; nothing where there is none."""
        if value := self.reading.get("value"):
            return figure(*value)
        if self.lines:
            last = [line[-1][1] for line in self.lines]
            return f"{min(last):.2f} to {max(last):.2f} in the end"
        return ", ".join(f"{count} {code}" for code, count in self.counts)

    @property
    def changes(self) -> list[dict[str, str]]:
        """The latest changes of its reading, each with its day; a reading without a series once."""
        told = []
        for move in self.reading.get("moves", []):
            on, before, *value = move.split()
            words = f"from {float(before):.2f} to {figure(*map(float, value))}"
            told.append({"on": on, "told": words})
        if not told and self.told and self.reading.get("on"):
            told.append({"on": self.reading["on"], "told": self.told})
        return told


def figure(value: float, low: float | None = None, high: float | None = None) -> str:
    """Return a value as people read it, with its band.

    >>> figure(0.614, 0.2, 0.97)
    '0.61 (0.20–0.97)'
    """
    return f"{value:.2f}" + (f" ({low:.2f}–{high:.2f})" if low is not None else "")


def build_site(
    specs: Sequence[Spec],
    *,
    root: Path,
    out: Path | None = None,
    build: Path | None = None,
    results: Sequence[Result] = (),
) -> Path:
    """Write what lies around the pages and return the home page's path.

    `results` are of a build that has just ended: what is good there need not be judged again.
    """
    out, build = out or root / "reports", build or root / "build"
    pages = list_pages(specs, root=root, out=out, build=build, results=results)
    names = read_names(root)
    files = {
        "index.html": render_home(pages, names),
        "feed.xml": render_feed(pages),
        "data.html": render_data(pages),
        "datapackage.json": json.dumps(describe_downloads(pages, out), ensure_ascii=False, indent=1)
        + "\n",
    }
    for name, content in files.items():
        put(out / name, content.encode())
    put(out / SCRIPT, (TEMPLATES / "live.js").read_bytes())
    return out / "index.html"


def put(path: Path, content: bytes) -> None:
    """Put a file in place, where it is not there already."""
    if publish.read_bytes(path) == content:
        return
    try:
        publish.replace(path, content)
    except OSError as error:
        raise PageError(f"{path}: cannot be written ({error.strerror})") from None


def list_pages(
    specs: Sequence[Spec], *, root: Path, out: Path, build: Path, results: Sequence[Result]
) -> list[Listed]:
    """Return one row per page: how it stands, and what its `.json` keeps of it."""
    good = {result.page for result in results if result.status in ("built", "current")}
    unsure = [spec for spec in specs if spec.page not in good]
    states = {each.page: each for each in judge_pages(unsure, root=root, out=out, build=build)}
    pages = []
    for spec in specs:
        is_there = (out / f"{spec.page}.html").is_file()
        record = publish.read_json(out / f"{spec.page}.json")
        state = states.get(spec.page)
        noted = build / "records" / f"{spec.page}.stale.json"
        failure = publish.read_json(build / "records" / f"{spec.page}.json")
        if state and failure:
            status = "stale" if is_there else "failed"
            since, reason = (str(failure.get(key, "")) for key in ("since", "reason"))
            pages.append(Listed(spec, is_there, status, since, reason, record))
        elif state is None or state.status == "current":
            noted.unlink(missing_ok=True)
            pages.append(Listed(spec, is_there, record=record))
        elif is_there:
            since = publish.read_json(noted).get("since") or f"{datetime.now(tz=UTC):%Y-%m-%d}"
            publish.replace(noted, json.dumps({"since": since}).encode())
            more = f" and {len(state.changes) - 1} more" if len(state.changes) > 1 else ""
            reason = f"{state.changes[0]}{more}; not built since"
            pages.append(Listed(spec, is_there, "stale", since, reason, record))
        else:
            pages.append(Listed(spec, is_there, "not built yet"))
    return pages


def read_names(root: Path) -> dict[str, str]:
    """Return the names of the project's negotiations and issues by their codes."""
    names = {}
    with suppress(OSError, ValueError, KeyError):
        written = (root / "data" / "issues.csv").read_text(encoding="utf-8-sig")
        names = {row["issue_id"]: row["issue"] for row in csv.DictReader(written.splitlines())}
    for path in sorted((root / "data" / "talks").glob("*/negotiation.yml")):
        # What is wrong with one is told by the pages that need it.
        with suppress(OSError, ValueError, KeyError, TypeError, yaml.YAMLError):
            told = yaml.load(path.read_text(encoding="utf-8"), SpecLoader)
            names[path.parent.name] = str(told["title"])
    return names


def render_home(pages: Sequence[Listed], names: Mapping[str, str]) -> str:
    """Return the home page: what moved last, then the pages by kind, the course of talks first."""
    kinds: dict[str, list[Listed]] = {}
    for page in sorted(pages, key=lambda page: page.spec.page):
        kinds.setdefault(page.kind, []).append(page)
    order = sorted(
        kinds,
        key=lambda kind: (
            not any(p.talks and p.series for p in kinds[kind]),
            not any(p.talks for p in kinds[kind]),
            -len(kinds[kind]),
            kind,
        ),
    )
    talks = {slug for page in pages for slug in page.talks}
    issues = {issue for page in pages for issue in page.issues}
    # What changed last on each of them, and how: a reading that is told once has not changed.
    moved: dict[str, dict[str, Any]] = {}
    for change in list_changes(pages):
        if change["page"].series and change["page"].talks:
            moved.setdefault(change["page"].spec.page, change)
    latest = list(moved.values())
    return render(
        "index.html.j2",
        licence=LICENCE,
        page=frame("tradegap", script=SCRIPT),
        kinds=[(kind, kinds[kind]) for kind in order],
        pages=pages,
        names=names,
        talks=sorted(talks, key=lambda slug: names.get(slug, slug)),
        issues=sorted(issues, key=lambda issue: names.get(issue, issue)),
        latest=latest[:LATEST],
        draw=draw_reading,
    )


def list_changes(pages: Sequence[Listed]) -> list[dict[str, Any]]:
    """Return the changes of all pages' readings, latest first."""
    there = sorted((page for page in pages if page.is_there), key=lambda page: page.spec.page)
    changes: list[dict[str, Any]] = [
        {**change, "page": page} for page in there for change in page.changes
    ]
    return sorted(changes, key=lambda change: change["on"], reverse=True)


def draw_reading(page: Listed) -> str:
    """Return a page's reading as a small chart: a line with its band, a dot, or a bar of counts.

    The chart is as wide and high as 100 and 30; its title says what it shows.
    """
    from markupsafe import Markup, escape

    if page.series:
        first, last = page.series[0], page.series[-1]
        days = max((last[0] - first[0]).days, 1)
        points = [(100 * (on - first[0]).days / days, rest) for on, rest in page.series]
        said = f"from {figure(*first[1])} on {day(str(first[0]))} to {figure(*last[1])}"
        marks = ""
        if len(last[1]) == 3:
            ends = [(x, high) for x, (_, _, high) in points]
            ends += [(x, low) for x, (_, low, _) in reversed(points)]
            marks = f'<path class="band" d="M{trace(ends)}Z"/>'
        marks += f'<path class="line" d="M{trace([(x, rest[0]) for x, rest in points])}"/>'
        marks += f'<circle cx="100" cy="{height(last[1][0])}" r="2.5"/>'
    elif value := page.reading.get("value"):
        said = f"{figure(*value)} on a scale from 0 to 1"
        low, high = (value[1], value[2]) if len(value) == 3 else (value[0], value[0])
        marks = (
            '<path class="axis" d="M0,15H100M0,11V19M100,11V19"/>'
            f'<path class="range" d="M{100 * low:.1f},15H{100 * high:.1f}"/>'
            f'<circle cx="{100 * value[0]:.1f}" cy="15" r="3.5"/>'
        )
    elif page.lines:
        said = f"{page.told}, {len(page.lines)} lines"
        along = [x for line in page.lines for x, _ in line]
        start, wide = min(along), (max(along) - min(along)) or 1
        placed = [[(100 * (x - start) / wide, y) for x, y in line] for line in page.lines]
        marks = "".join(f'<path class="line" d="M{trace(line)}"/>' for line in placed)
    elif counts := page.counts:
        total, x, said, marks = sum(count for _, count in counts), 0.0, page.told, ""
        for code, count in counts:
            wide = 100 * count / total
            marks += f'<rect class="{escape(code)}" x="{x:.1f}" y="6" width="{wide:.1f}"'
            marks += ' height="18"/>'
            x += wide
    else:
        return ""
    label = escape(f"{page.what}: {said}")
    return Markup(
        f'<svg class="small" role="img" viewBox="-4 -2 108 34" aria-label="{label}">{marks}</svg>'
    )


def height(value: float) -> str:
    """Return how far down a value from 0 to 1 lies in a small chart."""
    return f"{30 - 30 * min(max(value, 0), 1):.1f}"


def trace(points: Sequence[tuple[float, float]]) -> str:
    """Return points as the middle of an SVG path.

    >>> trace([(0, 1), (50, 0.5)])
    '0,0.0L50,15.0'
    """
    return "L".join(f"{x:.0f},{height(value)}" for x, value in points)


def render_feed(pages: Sequence[Listed]) -> str:
    """Return the Atom feed of changed readings; its dates are those of the data."""
    entries = []
    for change in list_changes(pages)[:ENTRIES]:
        key = f"tradegap/{change['page'].spec.page}#{change['on']}"
        entries.append(change | {"id": uuid.uuid5(uuid.NAMESPACE_URL, key).urn})
    return render(
        "feed.xml.j2",
        licence=LICENCE,
        id=uuid.uuid5(uuid.NAMESPACE_URL, "tradegap/feed").urn,
        updated=max((entry["on"] for entry in entries), default="1970-01-01"),
        entries=entries,
    )


def render_data(pages: Sequence[Listed]) -> str:
    """Return the page that explains the downloads: licence, tables, columns."""
    there = [page for page in pages if page.is_there]
    used = {page.table.name: page.table for page in there if page.table}
    tables = [(table, [page for page in there if page.table == table]) for table in used.values()]
    return render(
        "data.html.j2",
        licence=LICENCE,
        page=frame("The data behind the pages", script=SCRIPT),
        tables=sorted(tables, key=lambda each: each[0].name),
        pages=there,
    )


def describe_downloads(pages: Sequence[Listed], out: Path) -> dict[str, Any]:
    """Return the Frictionless data package of the pages' figures, columns as they are declared."""
    resources = []
    for page in pages:
        name = f"{Path(page.spec.page).name}.csv"
        path = out / f"{page.spec.page}.csv"
        if not (page.is_there and path.is_file()):
            continue
        resource: dict[str, Any] = {
            "name": re.sub(r"[^a-z0-9._-]+", "-", page.spec.page.lower()),
            "title": page.spec.title,
            "description": page.spec.question,
            "path": f"{page.spec.page}.csv",
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "bytes": path.stat().st_size,
        }
        if found := page.record.get("outputs", {}).get(name):
            resource["hash"] = f"sha256:{found}"
        if page.table:
            resource["profile"] = "tabular-data-resource"
            resource["schema"] = as_schema(page.table)
        resources.append(resource)
    return {
        "profile": "data-package",
        "name": "tradegap-reports",
        "title": "The figures of the tradegap pages",
        "description": "One CSV a page; each column is explained in its schema and in data.html.",
        "version": tradegap.__version__,
        "licenses": [LICENCE],
        "resources": resources,
    }


def as_schema(table: Table) -> dict[str, Any]:
    """Return a declared table as a Frictionless Table Schema."""
    fields = [
        {"name": each.name, "type": each.type, "description": each.description}
        | ({"constraints": each.constraints} if each.constraints else {})
        for each in table.fields
    ]
    return {"fields": fields} | ({"primaryKey": list(table.key)} if table.key else {})
