"""Beside the charts: their one look, and a chart as an HTML figure.

An SVG with its text alternative, caption and figures as a table; its colours taken from the page
(light or dark), its text measured with a font that the package ships.
"""

from __future__ import annotations

import html
import re
from importlib.resources import files
from typing import Any

import altair as alt
import vl_convert

from tradegap.svg import compact

__all__ = [
    "COLOURS",
    "FONT",
    "INK",
    "MUTED",
    "PAPER",
    "RULE",
    "STEPS",
    "figure",
    "styled",
    "use_page_charts",
]

vl_convert.register_font_directory(str(files("tradegap") / "fonts"))
FONT = "Tradegap Sans"  # shipped beside this module, so that every machine measures text alike
# Each colour stands for a custom property of the page, which replaces it in the finished SVG.
INK, MUTED, RULE, PAPER = "#1d2126", "#575e67", "#d5d1c8", "#fdfcfa"
COLOURS = {
    "closed": "#0a5c50",
    "narrowing": "#3b82bd",
    "open": "#b57f00",
    "widening": "#a63a0c",
    "deferred": "#776f88",
    "accent": "#14507f",
}
# Five steps of the gap, from near to far; a dark page turns them round: far still stands out.
STEPS = ["#f6dfc0", "#eab676", "#d9843b", "#ad5318", "#6e2c0a"]
PROPERTIES = {INK: "ink", MUTED: "muted", RULE: "rule", PAPER: "paper"} | {
    colour: name for name, colour in COLOURS.items()
}
PROPERTIES |= {colour: f"step-{number}" for number, colour in enumerate(STEPS, start=1)}


def use_page_charts() -> None:
    """Show charts in this notebook as a page shows them, from now on."""
    alt.renderers.register("tradegap", lambda spec, **_: {"text/html": figure(spec)})
    alt.renderers.enable("tradegap")


def figure(spec: dict[str, Any]) -> str:
    """Return a Vega-Lite spec as an HTML figure: SVG, text alternative, caption, and a table.

    The caption is the spec's `usermeta["caption"]`, the alternative its `description`, the table
    its `usermeta["table"]` (caption, columns, rows); the first and last day of a time axis, for the
    script, are its `usermeta["span"]`.
    """
    svg = compact(vl_convert.vegalite_to_svg(spec), colour=from_page)
    described = html.escape(spec.get("description", ""))
    svg = svg.replace(
        "<svg ",
        f'<svg role="group" aria-label="{described}"'
        ' font-family="Liberation Sans, Arial, sans-serif" ',
        1,
    )
    width = re.search(r'viewBox="0 0 (\d+)', svg)
    svg = re.sub(r' width="\d+" height="\d+"', "", svg, count=1)
    wide = f' style="min-width:{min(int(width[1]), 860)}px;max-width:{width[1]}px"' if width else ""
    about = spec.get("usermeta", {})
    span = f' data-span="{about["span"]}"' if "span" in about else ""
    return (
        f'<figure class="figure"{span}><div class="scroll" tabindex="0" role="group"'
        f' aria-label="Chart"><div{wide}>{svg}</div></div>'
        f"<figcaption>{html.escape(about.get('caption', ''))}</figcaption></figure>"
        + (tabulate(**about["table"]) if "table" in about else "")
    )


def tabulate(caption: str, columns: list[str], rows: list[list[str]]) -> str:
    """Return figures as a table in a disclosure, the first column its headings."""
    heads = "".join(f'<th scope="col">{html.escape(name)}</th>' for name in columns)
    lines = "".join(
        f'<tr><th scope="row">{html.escape(first)}</th>'
        + "".join(f"<td>{html.escape(each)}</td>" for each in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return (
        '<details class="data"><summary>The figures of this chart as a table</summary>'
        f'<div class="scroll"><table><caption>{html.escape(caption)}.</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{lines}</tbody></table></div></details>"
    )


def from_page(colour: str) -> str:
    """Return a colour as the page's own property, or as it is."""
    return f"var(--{PROPERTIES[colour]},{colour})" if colour in PROPERTIES else colour


def styled(chart: Any) -> alt.TopLevelMixin:
    """Return a chart in the manner of the pages."""
    text = {"labelColor": MUTED, "titleColor": INK, "labelFontSize": 11, "titleFontSize": 11}
    finished: alt.TopLevelMixin = (
        chart.configure(font=FONT, background="transparent")
        .configure_view(stroke=None)
        .configure_axis(**text, gridColor=RULE, gridOpacity=0.6, domainColor=RULE, tickColor=RULE)
        .configure_legend(**text, symbolSize=70)
        .configure_title(color=INK, fontSize=13, fontWeight="bold")
    )
    return finished
