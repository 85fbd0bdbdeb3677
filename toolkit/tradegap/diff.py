"""Beside the build: what a reader would find changed between two builds of the pages.

A side is a folder as reports/ is one, or reports/ as a git revision has it. Pages are compared by
their figures, the marks of their charts and their text, not by their bytes.
"""

from __future__ import annotations

import difflib
import io
import subprocess
import tarfile
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path
from typing import IO, Any, cast

import pandas as pd
from lxml import etree, html

from tradegap.errors import DataError, PageError
from tradegap.pages import frame, render
from tradegap.provenance import told
from tradegap.publish import read_bytes, read_json
from tradegap.tables import declared_tables

__all__ = ["Change", "PageDiff", "Part", "compare_sides", "open_side", "render_diff", "tell_diff"]

TOLD, LISTED = 4, 25  # changes of one part that the text names, and the page
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
INLINE = {"a", "abbr", "b", "code", "em", "i", "mark", "q", "span", "strong", "sub", "sup", "time"}


@dataclass(frozen=True)
class Change:
    """One thing that changed: what it is, and what it was and is; empty where it was or is not."""

    what: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class Part:
    """A part of a page that changed: a column of its figures, a chart, the text of a section."""

    title: str
    count: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class PageDiff:
    """How a page differs: `new`, `gone` or `changed`, part by part; and what it is made of now."""

    page: str
    status: str
    parts: tuple[Part, ...] = ()
    made_of: tuple[str, ...] = ()


@contextmanager
def open_side(name: str, root: Path) -> Iterator[Path]:
    """Give the folder of one side: the folder of that name, or reports/ of that git revision.

    Raises DataError where it is neither.
    """
    if Path(name).is_dir():
        yield Path(name)
        return
    command = ["git", "-C", str(root), "archive", "--format=tar", "--", f"{name}:./reports"]
    try:
        ran = subprocess.run(command, capture_output=True, check=False)
    except OSError:
        raise DataError(f"{name}: no folder of pages, and there is no git to ask for it") from None
    if ran.returncode:
        raise DataError(
            f"{name}: neither a folder of pages nor a git revision with reports/ in it; "
            "name a folder as reports/ is one, or a commit, branch or tag"
        )
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(ran.stdout)) as archive:
            for member in filter(tarfile.TarInfo.isfile, archive):
                path = Path(folder, member.name)
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(cast(IO[bytes], archive.extractfile(member)).read())
        yield Path(folder)


def compare_sides(before: Path, after: Path) -> tuple[list[PageDiff], int]:
    """Return how each page differs that does, and how many pages a reader finds the same.

    Raises PageError where a side holds no page, or one that cannot be read.
    """
    sides = [
        {path.relative_to(side).with_suffix("").as_posix() for path in side.glob("*/*.html")}
        for side in (before, after)
    ]
    for side, pages in zip((before, after), sides, strict=True):
        if not pages:
            raise PageError(f"{side}: no pages there; a page is <notebook>/<name>.html")
    every = sorted(sides[0] | sides[1])
    found = [diff for page in every if (diff := compare_page(page, before, after))]
    return found, len(every) - len(found)


def compare_page(page: str, before: Path, after: Path) -> PageDiff | None:
    """Return how one page differs; None where a reader finds the same."""
    names = f"{page}.html", f"{page}.csv"
    old, new = ([read_bytes(side / name) for name in names] for side in (before, after))
    if old[0] is None or new[0] is None:
        return PageDiff(page, "new" if old[0] is None else "gone")
    if old == new:
        return None
    try:
        parts = list(compare_figures(old[1] or b"", new[1] or b""))
        (was_text, was_drawn), (text, drawn) = read_page(old[0]), read_page(new[0])
        parts += [*compare_charts(was_drawn, drawn), *compare_text(was_text, text)]
    except (ValueError, etree.ParserError) as error:
        raise PageError(f"{page}: cannot be read ({error}); build it again") from None
    records = [read_json(side / f"{page}.json") for side in (before, after)]
    made_of = tuple(compare_makings(*records))
    return PageDiff(page, "changed", tuple(parts), made_of) if parts else None


def compare_makings(before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """Yield one line per thing that a page was made of and that is not as it was."""
    for kind in ("made_of", "read"):
        was, now = before.get(kind, {}), after.get(kind, {})
        for name in sorted({*was, *now}):
            if was.get(name) != now.get(name):
                yield told(name, was.get(name), now.get(name))


def compare_figures(before: bytes, after: bytes) -> Iterator[Part]:
    r"""Yield a part for rows that came or went, and one per column whose figures moved.

    >>> for part in compare_figures(b"id,gap\na,.4\nb,1\n", b"id,gap\na,.5\nc,1\n"):
    ...     print(part.title, part.count)
    Rows 1 new, 1 gone
    Figures: gap 1 of 1 moved
    """
    old, new = (read_figures(each) for each in (before, after))
    shared = [name for name in old.columns if name in new.columns]
    columns = [Change(name, before=name) for name in old.columns if name not in shared]
    columns += [Change(name, after=name) for name in new.columns if name not in shared]
    if columns:
        yield Part("Columns", count_sides(columns), tuple(columns))
    key = find_key(shared, old, new)
    old, new = (number_rows(frame, key) for frame in (old, new))
    gone, came = old.loc[~old.index.isin(new.index)], new.loc[~new.index.isin(old.index)]
    rows = [Change("", before=", ".join(row)) for row in gone.itertuples(index=False)]
    rows += [Change("", after=", ".join(row)) for row in came.itertuples(index=False)]
    if rows:
        yield Part("Rows", count_sides(rows), tuple(rows))
    both = old.index.intersection(new.index, sort=False)
    old, new = old.loc[both], new.loc[both]
    for name in shared:
        moved = old[name] != new[name]
        was, now = old.loc[moved, name], new.loc[moved, name]
        by = (pd.to_numeric(now, errors="coerce") - pd.to_numeric(was, errors="coerce")).abs()
        order = by.sort_values(ascending=False, kind="stable").index
        changes = [
            Change(", ".join(map(str, each[:-1])), was.at[each], now.at[each]) for each in order
        ]
        if changes:
            count = f"{len(changes):,} of {len(both):,} moved"
            yield Part(f"Figures: {name}", count, tuple(changes))


def read_figures(content: bytes) -> pd.DataFrame:
    """Return a page's figures as they are written."""
    if not content.strip():
        return pd.DataFrame()
    return pd.read_csv(io.BytesIO(content), dtype=str, keep_default_na=False)


def find_key(columns: Sequence[str], *frames: pd.DataFrame) -> list[str]:
    """Return the columns that tell rows apart: the key of the declared table whose rows these are.

    For figures of no declared table, the first columns that will do in every frame, else all.
    """
    for table in declared_tables().values():
        if table.key and {*table.key} <= {*columns} <= {*table.columns}:
            return list(table.key)
    for count in range(1, len(columns)):
        key = list(columns[:count])
        if not any(frame.duplicated(key).any() for frame in frames):
            return key
    return list(columns)


def number_rows(frame: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    """Return the frame indexed by its key and, where rows share one, by their number in it."""
    numbered = frame.assign(_=frame.groupby(key).cumcount() if key else range(len(frame)))
    index = pd.MultiIndex.from_frame(numbered[[*key, "_"]])
    return frame.set_axis(index, axis="index")


Text = tuple[str, str]  # the heading that a text stands under, and the text
Drawn = tuple[str, list[str], list[str]]  # the heading, what the marks say, how they are drawn


def read_page(content: bytes) -> tuple[list[Text], list[Drawn]]:
    """Return a page's texts, a row of a table being one, and its charts, each under its heading."""
    texts: list[Text] = []
    charts: list[Drawn] = []
    words: list[str] = []
    under, in_row = "", False

    def close() -> None:
        nonlocal under
        if said := " ".join("".join(words).split()).strip(" |"):
            texts.append((under, said))
        words.clear()

    body = html.document_fromstring(content.decode()).find("body")
    walk = etree.iterwalk(body, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        tag = element.tag
        if event == "start" and tag in ("svg", "style", "script"):
            if tag == "svg":
                charts.append((under, *read_chart(element)))
            walk.skip_subtree()
        elif event == "start":
            if tag in ("td", "th"):
                words.append(" | ")
            elif tag not in INLINE:
                words.append(" ") if in_row else close()
            in_row = in_row or tag == "tr"
            words.append(element.text or "")
        elif event == "end" and isinstance(tag, str):
            if tag in HEADINGS:
                under = " ".join(element.text_content().split())
            in_row = in_row and tag != "tr"
            if tag not in INLINE:
                words.append(" ") if in_row else close()
            words.append((element.tail or "") if element is not body else "")
    close()
    return texts, charts


def read_chart(svg: Any) -> tuple[list[str], list[str]]:
    """Return what a chart says, itself and mark by mark, and how its marks are drawn."""
    says = [svg.get("aria-label") or ""]
    says += [" ".join((each.text or "").split()) for each in svg.iter("title", "text")]
    says += [each.get("aria-label") for each in svg.iterdescendants() if each.get("aria-label")]
    places = ("d", "x", "y", "transform")
    return says, ["".join(map(str, map(each.get, places))) for each in svg.iterdescendants("*")]


def compare_charts(before: list[Drawn], after: list[Drawn]) -> Iterator[Part]:
    """Yield a part per chart that came, went, says other things or is drawn otherwise."""
    old, new = number_charts(before), number_charts(after)
    for title in {**old, **new}:
        was, now = old.get(title, ([], [])), new.get(title, ([], []))
        said, says = Counter(was[0]), Counter(now[0])
        changes = pair_up(list((said - says).elements()), list((says - said).elements()))
        if title not in old or title not in new:
            yield Part(title, "new" if title in new else "gone", ())
        elif changes:
            drawn = ", drawn otherwise" * (was[1] != now[1])
            yield Part(title, plural("label", changes) + drawn, tuple(changes))
        elif was[1] != now[1]:
            yield Part(title, "says the same, drawn otherwise", ())


def number_charts(charts: list[Drawn]) -> dict[str, tuple[list[str], list[str]]]:
    """Return charts by the heading that they stand under, and their number under it."""
    seen: Counter[str] = Counter()
    found = {}
    for under, *chart in charts:
        seen[under] += 1
        number = f" {seen[under]}" if seen[under] > 1 else ""
        found[f"Chart{number} under “{under}”"] = (chart[0], chart[1])
    return found


def compare_text(before: list[Text], after: list[Text]) -> Iterator[Part]:
    """Yield a part per section whose text is not as it was."""
    was, now = ([text for _, text in each] for each in (before, after))
    sections: dict[str, list[Change]] = defaultdict(list)
    matcher = difflib.SequenceMatcher(None, was, now, autojunk=False)
    for kind, i, j, k, m in matcher.get_opcodes():
        if kind != "equal":
            under = after[k][0] if k < m else before[i][0]
            sections[under] += pair_up(was[i:j], now[k:m])
    for under, changes in sections.items():
        title = f"Text under “{under}”" if under else "Text above the first heading"
        yield Part(title, plural("passage", changes), tuple(changes))


def pair_up(before: Iterable[str], after: Iterable[str]) -> list[Change]:
    """Return what went and what came in its place, side by side."""
    return [Change("", *pair) for pair in zip_longest(before, after, fillvalue="")]


def plural(name: str, things: Sequence[object]) -> str:
    """Return how many things of a name there are.

    >>> plural("passage", [1])
    '1 passage'
    """
    return f"{len(things):,} {name}{'s' * (len(things) != 1)}"


def count_sides(changes: list[Change]) -> str:
    """Return how many came and went.

    >>> count_sides([Change("", after="a"), Change("", after="b")])
    '2 new'
    """
    new, gone = sum(bool(c.after) for c in changes), sum(bool(c.before) for c in changes)
    return ", ".join([f"{new:,} new"] * bool(new) + [f"{gone:,} gone"] * bool(gone))


def count_pages(diffs: list[PageDiff], same: int) -> str:
    """Return in a line how many pages changed.

    >>> count_pages([PageDiff("a/b", "new")], 3)
    '1 new, 0 gone, 0 changed, 3 as before'
    """
    counts = Counter(diff.status for diff in diffs)
    told = [f"{counts[status]} {status}" for status in ("new", "gone", "changed")]
    return ", ".join([*told, f"{same} as before"])


def tell_diff(diffs: list[PageDiff], same: int) -> Iterator[str]:
    """Yield the lines that tell of all pages that differ, and last how many those are."""
    for diff in diffs:
        yield f"{diff.page}: {diff.status}"
        for part in diff.parts:
            yield f"  {part.title}: {part.count}"
            for each in part.changes[:TOLD]:
                if each.what:
                    yield f"    {each.what}: {each.before or '–'} → {each.after or '–'}"
                else:
                    runs = mark_words(each.before, each.after)
                    yield from (
                        f"    {sign} {cut(run)}"
                        for sign, run in zip("-+", runs, strict=True)
                        if run
                    )
            if (more := len(part.changes) - TOLD) > 0:
                yield f"    and {more:,} more"
        if diff.made_of:
            yield f"  Made of: {'; '.join(diff.made_of)}"
    yield count_pages(diffs, same)


def render_diff(diffs: list[PageDiff], same: int, *, before: str, after: str) -> str:
    """Return all that as a page, which runs and fetches nothing either."""
    count = count_pages(diffs, same)
    return render(
        "diff.html.j2", page=frame("What changed"), diffs=diffs, count=count, before=before,
        after=after, listed=LISTED, mark_words=mark_words,
    )  # fmt: skip


def mark_words(before: str, after: str) -> tuple[list[tuple[str, bool]], list[tuple[str, bool]]]:
    """Return the words of two texts in runs, each with whether the other text lacks it.

    >>> mark_words("gap .4 now", "gap .5 now")[1]
    [('gap', False), ('.5', True), ('now', False)]
    """
    old, new = before.split(), after.split()
    runs: tuple[list[tuple[str, bool]], list[tuple[str, bool]]] = ([], [])
    for kind, i, j, k, m in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        for side, words in zip(runs, (old[i:j], new[k:m]), strict=True):
            if words:
                side.append((" ".join(words), kind != "equal"))
    return runs


def cut(runs: list[tuple[str, bool]]) -> str:
    """Return a text with what both sides share cut short.

    >>> cut([("a b c d e f g h i j", False), ("k", True)])
    'a b c … h i j k'
    """
    told = []
    for text, is_other in runs:
        words = text.split()
        is_long = len(words) > 8 and not is_other
        told.append(" ".join([*words[:3], "…", *words[-3:]]) if is_long else text)
    return " ".join(told)
