"""Beside the build: proof that what is published is what the inputs give.

`verify_pages` rebuilds every page from nothing and compares byte for byte; `check_inputs` reads
data, page specs and notebooks as a build would, without running anything.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
import unicodedata
from collections.abc import Callable, Sequence
from functools import partial
from itertools import zip_longest
from pathlib import Path

from tradegap import publish
from tradegap.build import build_pages
from tradegap.errors import TradegapError
from tradegap.site import SITE_FILES, build_site
from tradegap.specs import Spec, check_specs, read_specs

__all__ = ["check_folder", "check_inputs", "check_notebook", "compare_files", "verify_pages"]


def verify_pages(
    root: Path,
    specs: Sequence[Spec] = (),
    *,
    engine: str | None = None,
    jobs: int | None = None,
) -> list[str]:
    """Return one line per published file that differs from a rebuild from nothing; none is good.

    With `specs` only their pages are rebuilt, and not what lies around the pages. The rebuild goes
    to build/verify and stays there for a closer look.
    """
    scratch = root / "build" / "verify"
    with publish.hold(scratch):
        for each in ("reports", "work"):
            shutil.rmtree(scratch / each, ignore_errors=True)
        return compare_pages(root, scratch, specs, engine=engine, jobs=jobs)


def compare_pages(
    root: Path,
    scratch: Path,
    some: Sequence[Spec],
    *,
    engine: str | None,
    jobs: int | None,
) -> list[str]:
    """Return one line per published file that differs from a rebuild in a scratch folder."""
    specs, published, rebuilt = some or read_specs(root), root / "reports", scratch / "reports"
    work = scratch / "work"
    results = build_pages(
        specs, root=root, out=rebuilt, build=work, force=True, engine=engine, jobs=jobs
    )
    failed = [result for result in results if result.status == "failed"]
    faults = [f"{result.page}: cannot be rebuilt: {result.reason}" for result in failed]
    if not failed and not some:
        build_site(specs, root=root, out=rebuilt, build=work, results=results)
    pages = [f"{spec.page}{suffix}" for spec in specs for suffix in (".csv", ".html", ".json")]
    for name in [*pages, *(() if some else SITE_FILES)]:
        old, new = published / name, rebuilt / name
        if not old.is_file():
            faults.append(f"reports/{name}: is not published; run make reports")
        elif new.is_file() and old.read_bytes() != new.read_bytes():
            faults.append(f"reports/{compare_files(old, new, name=name)}")
    for suffix in () if some else ("html", "csv", "json"):
        for path in sorted(published.glob(f"*/*.{suffix}")):
            name = path.relative_to(published).as_posix()
            if name not in pages:
                faults.append(f"reports/{name}: no spec builds it; delete it or give it a .yml")
    return faults


def compare_files(old: Path, new: Path, *, name: str) -> str:
    """Return one line that says where a published file and its rebuild first differ."""
    before, after = (path.read_bytes().decode() for path in (old, new))
    where = _first_figure(before, after) if name.endswith(".csv") else _first_text(before, after)
    return f"{name}: {where}"


def _first_figure(before: str, after: str) -> str:
    r"""Return row, column and both values of the first figure that differs.

    >>> _first_figure("issue,gap\nautos,0.4\n", "issue,gap\nautos,0.5\n")
    "row 2 (autos), column gap: published '0.4', rebuilt '0.5'"
    """
    tables = [list(csv.reader(io.StringIO(text))) for text in (before, after)]
    header = tables[0][0] if tables[0] else []
    for number, (old, new) in enumerate(zip_longest(*tables), start=1):
        if old is None or new is None:
            side, row = ("rebuilt", new) if old is None else ("published", old)
            return f"row {number} is only in the {side} file: {','.join(row)[:80]!r}"
        for column, (a, b) in enumerate(zip_longest(old, new)):
            if a != b:
                title = header[column] if column < len(header) else str(column + 1)
                what = f"row {number} ({old[0] if old else ''}), column {title}"
                return f"{what}: published {a!r}, rebuilt {b!r}"
    return "the same figures in other bytes (line ends or quoting)"


def _first_text(before: str, after: str) -> str:
    r"""Return line, heading and both excerpts of the first text that differs.

    >>> _first_text("<h2>Now</h2>\n<p>gap 0.4</p>", "<h2>Now</h2>\n<p>gap 0.5</p>")
    "line 2, under 'Now': published 'gap 0.4', rebuilt 'gap 0.5'"
    """
    pairs = enumerate(zip(before, after, strict=False))
    at = next((i for i, (a, b) in pairs if a != b), min(len(before), len(after)))
    headings = re.findall(r"<h[1-6]\b[^>]*>(.*?)</h[1-6]>", before[:at], flags=re.DOTALL)
    under = f", under {_words(headings[-1])!r}" if headings else ""
    line = before.count("\n", 0, at) + 1
    excerpts = [_words(_around(text, at)) for text in (before, after)]
    if excerpts[0] == excerpts[1]:
        excerpts = [" ".join(text[max(0, at - 30) : at + 30].split()) for text in (before, after)]
    return f"line {line}{under}: published {excerpts[0]!r}, rebuilt {excerpts[1]!r}"


def _around(text: str, at: int) -> str:
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    return text[max(start, at - 60) : min(end if end >= 0 else len(text), at + 60)]


def _words(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>|^[^<]*>|<[^>]*$", " ", markup)).split())


def check_inputs(root: Path) -> list[str]:
    """Return one line per fault of the data, the page specs and the notebooks; none is good."""
    from tradegap import audit, stakes, talks

    faults = _faults(talks.read_parties) + _faults(talks.read_issues)
    seen: dict[str, str] = {}
    for folder in sorted((root / "data" / "talks").iterdir()):
        if folder.is_dir() and not folder.name.startswith("."):
            faults += check_folder(folder, root=root)
            slug = unicodedata.normalize("NFKC", folder.name).casefold()
            if other := seen.get(slug):
                faults.append(
                    f"data/talks/{folder.name}: is data/talks/{other} once more, as many file"
                    " systems see it; give one of them another name"
                )
            seen[slug] = folder.name
    if (root / "data" / "training").is_dir():
        faults += _faults(audit.open_audit)
    if (root / stakes.FOLDER).is_dir():
        faults += _faults(stakes.read_trade)
    for path in sorted((root / "notebooks").glob("*.ipynb")):
        faults += check_notebook(path)
    faults += _faults(lambda: check_specs(read_specs(root)))
    return list(dict.fromkeys(fault.replace(f"{root}/", "") for fault in faults))


def check_folder(folder: Path, *, root: Path) -> list[str]:
    """Return one line per fault of a negotiation: its tables, its notes, its ledger."""
    from tradegap import documents, imports, review, talks

    faults = _faults(partial(talks.read_negotiation, folder.name))
    faults += documents.check_notes(folder)
    try:
        texts = documents.load_documents(folder)
    except TradegapError as error:
        # Without its notes a ledger can still be read, though not held against them.
        faults += error.faults + _faults(partial(review.read_ledger, folder))
    else:
        for name in review.LEDGERS:
            try:
                faults += review.check_ledger(folder / name, texts)
            except TradegapError as error:
                faults += error.faults
        faults += imports.check_imported(folder, texts)
    return [each.replace(f"{root}/", "") for each in dict.fromkeys(faults)]


def _faults(check: Callable[[], object]) -> list[str]:
    try:
        check()
    except TradegapError as error:
        return error.faults
    return []


def check_notebook(path: Path) -> list[str]:
    """Return one line per fault of a notebook: stored outputs, or not one parameters cell."""
    where = f"notebooks/{path.name}"
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        code = [(n, c) for n, c in enumerate(cells, start=1) if c["cell_type"] == "code"]
        stored = [n for n, c in code if c.get("outputs") or c.get("execution_count") is not None]
        tagged = [n for n, c in code if "parameters" in c["metadata"].get("tags", [])]
    except (ValueError, KeyError, TypeError) as error:
        return [f"{where}: cannot be read ({error}); open and save it in JupyterLab"]
    faults = []
    if stored:
        listed = ", ".join(map(str, stored))
        faults.append(f"{where}: cell {listed} holds outputs or counts; clear all outputs and save")
    if len(tagged) != 1:
        faults.append(f"{where}: {len(tagged)} cells are tagged parameters; tag exactly one")
    return faults
