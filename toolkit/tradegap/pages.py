"""Last stage: an executed notebook in, a page and its figures out. It knows no measure.

Markdown and rich outputs are shown, through `template/`; code, printed text and errors are not. A
page on which anything would run or be fetched is refused.
"""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import tradegap
from tradegap.errors import PageError
from tradegap.specs import Spec

__all__ = [
    "SCRIPT",
    "TEMPLATES",
    "day",
    "frame",
    "make_exporter",
    "read_figures",
    "render",
    "render_page",
]

TEMPLATES = Path(__file__).parent / "template"
SCRIPT = "assets/live.js"  # wakes the pages up, from beside them


def read_figures(notebook: Any) -> str:
    """Return the page's figures: the one output of the run that is text/csv."""
    found = [
        output["data"]["text/csv"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "text/csv" in output.get("data", {})
    ]
    if len(found) != 1:
        raise PageError(
            f"{len(found)} outputs of the notebook are text/csv; exactly one cell ends in "
            "tradegap.publish_figures(…), which gives the page its figures"
        )
    return "".join(found[0])


def render_page(spec: Spec, notebook: Any) -> str:
    """Return the page's HTML; raise PageError where it would run or load anything."""
    depth = "../" * spec.page.count("/")
    page = frame(spec.title, script=SCRIPT, depth=depth) | {
        "question": spec.question,
        "page": spec.page,
        "spec": spec.source if spec.path else "",
        "notebook": f"notebooks/{spec.notebook.name}",
        "parameters": spec.parameters,
        "version": tradegap.__version__,
    }
    html, _ = make_exporter().from_notebook_node(notebook, resources={"page": page})
    html = re.sub(r"(?<=\d) %", "\N{NO-BREAK SPACE}%", _scrolling_tables(_distinct_ids(html)))
    # What a parser of HTML adds by itself is left out: it is a fifteenth of a long page.
    html = re.sub(r"></(?:path|line|rect|circle)>", "/>", html)
    html = re.sub(r"</(?:td|th|tr|tbody)>\s*(?=<)", "", html)
    # The one script that a page may have is ours, and lies beside the pages.
    ours = f'<script defer="" src="{depth}{SCRIPT}"></script>'
    if faults := _active_parts(html.replace(ours, "", 1)):
        raise PageError(f"the page would not be inert: {'; '.join(faults)}")
    return html


@cache
def make_exporter() -> Any:
    """Return what turns a notebook into HTML, with its template read."""
    from nbconvert import HTMLExporter

    template = str(TEMPLATES / "page.html.j2")
    exporter = HTMLExporter(template_file=template, exclude_anchor_links=True)  # type: ignore[no-untyped-call]
    _ = exporter.template
    return exporter


def _distinct_ids(html: str) -> str:
    """Return the page with ids inside its SVGs made unique, so that no chart clips another.

    >>> _distinct_ids('<svg><g id="a"/></svg><svg><g id="a"/><use clip-path="url(#a)"/></svg>')
    '<svg><g id="a"/></svg><svg><g id="a-2"/><use clip-path="url(#a-2)"/></svg>'
    """
    seen: dict[str, int] = {}

    def rename(match: re.Match[str]) -> str:
        svg = match[0]
        for name in dict.fromkeys(re.findall(r'\sid="([^"]+)"', svg)):
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                old = re.escape(name)
                svg = re.sub(
                    rf'(\sid="|url\(#|url\(&quot;#|href="#){old}(?=["&)])',
                    rf"\g<1>{name}-{seen[name]}",
                    svg,
                )
        return svg

    return re.sub(r"<svg\b.*?</svg>", rename, html, flags=re.DOTALL)


def _scrolling_tables(html: str) -> str:
    """Return the page with each table in a box that scrolls, by keyboard too, on a narrow screen.

    >>> _scrolling_tables("<table></table>")
    '<div class="scroll" role="group" aria-label="Table" tabindex="0"><table></table></div>'
    """

    def wrap(match: re.Match[str]) -> str:
        box, table = match.groups()
        caption = re.search(r"<caption\b[^>]*>(.*?)</caption>", table, flags=re.DOTALL)
        words = re.sub(r"<[^>]*>", "", caption[1]).split() if caption else ["Table"]
        label = " ".join(words).replace('"', "&quot;")
        opened = f'<div class="scroll" role="group" aria-label="{label}" tabindex="0">{table}'
        return opened if box else f"{opened}</div>"

    pattern = r'(<div class="scroll">\s*)?(<table\b.*?</table>)'
    return re.sub(pattern, wrap, html, flags=re.DOTALL)


class _ActiveParts(HTMLParser):
    """Collects what would run or be fetched when a page is opened."""

    RUNNING = frozenset({"script", "iframe", "object", "embed", "base", "link", "form", "portal"})
    LOADING = frozenset({"src", "srcset", "poster", "background", "action", "formaction"})

    def __init__(self) -> None:
        super().__init__()
        self.faults: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in self.RUNNING:
            self.faults.append(f"<{tag}>")
        for name, value in attrs:
            address = (value or "").strip()
            loads = name in self.LOADING or (name.endswith("href") and tag not in ("a", "area"))
            if (
                name.startswith("on")
                or address.lower().startswith(("javascript:", "vbscript:", "data:text/html"))
                or (loads and not address.startswith(("data:image/", "#")))
                or re.search(r"url\(\s*['\"]?(?!['\"]?(#|data:image/))", address)
            ):
                self.faults.append(f"<{tag} {name}={address[:60]!r}>")


def _active_parts(html: str) -> list[str]:
    """Return what on a page would run or be fetched; links that a reader follows are fine.

    >>> _active_parts('<p onclick="x()"><a href="https://example.org">a</a><img src="x.png"></p>')
    ["<p onclick='x()'>", "<img src='x.png'>"]
    """
    parser = _ActiveParts()
    parser.feed(html)
    parser.close()
    for style in re.findall(r"<style\b.*?</style>", html, flags=re.DOTALL | re.IGNORECASE):
        if match := re.search(r"@import|url\(\s*['\"]?(?!['\"]?(#|data:image/)).{0,60}", style):
            parser.faults.append(f"a style with {match[0]!r}")
    return list(dict.fromkeys(parser.faults))


def frame(title: str, *, script: str = "", depth: str = "") -> dict[str, str]:
    """Return what the frame of every page takes; `depth` leads from it to the home page."""
    css = (TEMPLATES / "page.css").read_text(encoding="utf-8")
    return {"title": title, "css": css, "depth": depth, "script": script and f"{depth}{script}"}


def render(template: str, **values: Any) -> str:
    """Return a page that is made of no notebook: a template of the package, filled in."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters["day"] = day
    return environment.get_template(template).render(**values)


def day(on: str) -> str:
    """Return a day as people write it.

    >>> day("2019-09-05")
    '5 September 2019'
    """
    given = date.fromisoformat(on)
    return f"{given.day} {given:%B %Y}"
