"""Sixth stage: tables in, Altair charts out, each mark linked to its evidence.

A chart here is an ordinary `altair.Chart`, to go on editing in a notebook. `use_page_charts` makes
notebooks show charts as a page does: as SVG in a figure with its text alternative and caption, its
colours taken from the page (light or dark), its text measured with a font that the renderer ships.
"""

from __future__ import annotations

import html
import re
from hashlib import sha256
from importlib.resources import files
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from tradegap.gaps import combine_gaps, measure_divergence
from tradegap.record import Record, read_rounds
from tradegap.talks import read_issues

__all__ = [
    "chart_calibration",
    "chart_gaps",
    "chart_rounds",
    "chart_sides",
    "chart_whole",
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
DIRECTIONS = ["closed", "narrowing", "open", "widening"]
SHAPES = {
    "agreed": "M-0.9,0.05L-0.3,0.65L0.9,-0.6",
    "partly agreed": "M-0.9,0.05L-0.3,0.65L0.9,-0.6",
    "deferred": "M-0.35,-0.8L-0.35,0.8M0.35,-0.8L0.35,0.8",
    "dropped": "M-0.7,-0.7L0.7,0.7M-0.7,0.7L0.7,-0.7",
    "broken off": "M-0.7,-0.7L0.7,0.7M-0.7,0.7L0.7,-0.7",
}


def use_page_charts() -> None:
    """Show charts in this notebook as a page shows them, from now on."""
    alt.renderers.register("tradegap", lambda spec, **_: {"text/html": figure(spec)})
    alt.renderers.enable("tradegap")


def figure(spec: dict[str, Any]) -> str:
    """Return a Vega-Lite spec as an HTML figure: SVG, text alternative, caption.

    The caption is the spec's `usermeta["caption"]`, the alternative its `description`. Ids inside
    the SVG carry a hash of it, so that two charts on a page do not share them.
    """
    svg = vl_convert.vegalite_to_svg(spec)
    mark = sha256(svg.encode()).hexdigest()[:8]
    # The renderer resolves links against an address of its own; ours point into a page.
    svg = re.sub(r'xlink:href="[^"#]*?/(?=#|\.\./)', 'href="', svg)
    svg = re.sub(r'(id="|url\(#)(clip|gradient)(\d+)', rf"\g<1>{mark}-\g<2>\g<3>", svg)
    for colour, name in PROPERTIES.items():
        svg = svg.replace(f'"{colour}"', f'"var(--{name},{colour})"')
    # What draws nothing goes: it is a third of the bytes.
    svg = re.sub(r'<path class="(?:back|fore)ground"[^>]*? d=""[^>]*/>', "", svg)
    svg = re.sub(r'<path class="background"(?![^>]*(?:fill|stroke)=)[^>]*/>', "", svg)
    svg = re.sub(r' aria-roledescription="[^"]*"| font-family="[^"]*"', "", svg)
    svg = re.sub(r"<g [^>]*>", lambda g: re.sub(r' (?:role|aria-label)="[^"]*"', "", g[0]), svg)
    svg = re.sub(r'<path [^>]*role="graphics-symbol"[^>]*/>', titled, svg)
    svg = re.sub(r' opacity="1"| stroke-dasharray="1,0"| pointer-events="none"', "", svg)
    svg = re.sub(r"(\d\.\d\d)\d+", r"\1", svg)
    svg = re.sub(r' d="[^"]*"', lambda drawn: re.sub(r"(\.\d)\d+", r"\1", drawn[0]), svg)
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
    caption = html.escape(spec.get("usermeta", {}).get("caption", ""))
    return (
        f'<figure class="figure"><div class="scroll" tabindex="0" role="group"'
        f' aria-label="Chart"><div{wide}>{svg}</div></div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def titled(mark: re.Match[str]) -> str:
    """Return a mark with its label as a title: a link's name for all, a tooltip for the mouse.

    >>> titled(re.match(".*", '<path aria-label="agreed" role="graphics-symbol" d="M0,0"/>'))
    '<title>agreed</title><path d="M0,0"/>'
    """
    label = re.search(r' aria-label="([^"]*)"', mark[0])
    path = re.sub(r' (?:role|aria-label)="[^"]*"', "", mark[0])
    return f"<title>{label[1]}</title>{path}" if label else path


def chart_rounds(record: Record) -> alt.TopLevelMixin:
    """Return the issue by round picture: one cell is the gap as known the day after a round.

    The colour of a cell is the gap, its size how sure it is (a full cell has a narrow band); an
    issue that was agreed, deferred or dropped is drawn with a sign of its own. A cell links to the
    evidence on its issue.
    """
    cells = read_rounds(record)
    columns = cells.drop_duplicates("round_id")
    labels = dict(
        zip(columns["round_id"], [column_label(each) for each in columns.itertuples()], strict=True)
    )
    cells = cells.assign(
        column=cells["round_id"].map(labels),
        link="#evidence-" + cells["issue_id"],
        sure=(1 - (cells["gap_high"] - cells["gap_low"])).clip(0.05, 1).round(3),
        reading=[read_out(each) for each in cells.itertuples()],
        shape=cells["status"].map(SHAPES),
        label=(cells["gap"] * 100).round().astype(int).astype(str),
        dark=cells["gap"] >= 0.6,
    )
    order = issue_order(record)
    base = alt.Chart(
        cells[["column", "issue", "gap", "sure", "link", "reading", "shape", "status"]]
    ).encode(
        x=alt.X(
            "column:N",
            sort=list(labels.values()),
            title=None,
            axis=alt.Axis(orient="top", labelAngle=-50, labelLimit=220, labelPadding=6),
        ),
        y=alt.Y("issue:N", sort=order, title=None, axis=alt.Axis(labelLimit=170, labelPadding=8)),
    )
    linked = base.encode(href="link:N", description="reading:N")
    squares = linked.mark_square(opacity=1, stroke=RULE, strokeWidth=0.5).encode(
        color=alt.Color(
            "gap:Q",
            title="Gap",
            scale=alt.Scale(type="threshold", domain=[0.2, 0.4, 0.6, 0.8], range=STEPS),
            legend=alt.Legend(orient="bottom", direction="horizontal", format=".1f"),
        ),
        size=alt.Size(
            "sure:Q",
            title="Width of the 90 % band",
            scale=alt.Scale(domain=[0, 1], range=[30, 900]),
            legend=alt.Legend(
                orient="bottom",
                values=[0.15, 0.5, 0.9],
                labelExpr="format(1 - datum.value, '.1f')",
                symbolFillColor=MUTED,
                symbolStrokeWidth=0,
            ),
        ),
    )
    frames = base.mark_square(
        size=1100, filled=False, stroke=RULE, strokeWidth=1, opacity=1, aria=False
    )
    layers = [frames, squares.transform_filter("datum.status == 'negotiated'")]
    for status, shape in SHAPES.items():
        if status not in set(cells["status"]):
            continue
        colour = COLOURS["deferred" if status == "deferred" else "closed"]
        marks = linked.transform_filter(f"datum.status == '{status}'")
        layers.append(
            marks.mark_point(
                shape=shape,
                size=300,
                filled=False,
                stroke=colour if "agreed" in status or status == "deferred" else MUTED,
                strokeWidth=2.5 if status != "partly agreed" else 1.2,
                opacity=1,
            )
        )
    return styled(
        alt.layer(*layers).properties(
            width=alt.Step(38),
            height=alt.Step(38),
            description=describe_rounds(record),
            usermeta={
                "caption": "Each square is the gap on an issue as it was known the day after a"
                " round: the stronger its colour, the further apart; the larger, the surer. A"
                " tick is an issue agreed (thin: agreed in part), two bars one deferred, a cross"
                " one dropped or broken off. A square leads to its evidence."
            },
        )
    )


def chart_gaps(record: Record, *, view: str = "then") -> alt.TopLevelMixin:
    """Return the gap over time with its 90 % band, one panel an issue.

    Dots are signals, linked to their sentences; grey lines are milestones. From the day an issue is
    deferred or dropped its line is dashed. `view` is "then" or "hindsight".
    """
    names = read_issues()[["issue_id", "issue"]]
    gaps = record.gaps[record.gaps["view"] == view].merge(names, on="issue_id")
    gaps = gaps.assign(
        day=gaps["on"],
        on=gaps["on"].dt.tz_localize("UTC"),
        phase=gaps["status"].map(lambda status: "talks" if status == "negotiated" else "after"),
    )
    spoken = find_stretches(record.gaps)
    shown = thin_out(gaps.merge(spoken, on=["issue_id", "day"]))
    dated = "known_on" if view == "then" else "happened_on"
    dots = record.evidence[~record.evidence["is_overall"]].merge(names, on="issue_id")
    dots = dots.assign(
        on=dots[dated].dt.tz_localize("UTC").clip(gaps["on"].min(), gaps["on"].max()),
        link="#" + sentence_ids(dots),
        said=dots["direction"] + ", " + dots[dated].map(day_text),
    ).merge(gaps[["issue_id", "on", "gap"]], on=["issue_id", "on"])
    # Reports of one day that say the same would lie on each other: one mark leads to the first.
    dots = dots.drop_duplicates(["issue_id", "on", "direction"])
    milestones = record.negotiation.milestones
    milestones = milestones[milestones["reached_on"] <= pd.Timestamp(record.as_of)]
    lines = milestones.assign(on=milestones["reached_on"].dt.tz_localize("UTC"))
    x = alt.X(
        "on:T",
        scale=alt.Scale(type="utc"),
        title=None,
        axis=alt.Axis(format="%b %y", grid=False, tickCount=6),
    )
    height = alt.Scale(domain=[0, 1])
    panels = []
    for issue in issue_order(record):
        own, marks = shown[shown["issue"] == issue], dots[dots["issue"] == issue]
        band = (
            alt.Chart(own[["on", "gap_low", "gap_high"]])
            .mark_area(color=COLOURS["accent"], opacity=0.18, aria=False)
            .encode(
                x=x,
                y=alt.Y("gap_low:Q", scale=height, title=None, axis=alt.Axis(tickCount=3)),
                y2="gap_high:Q",
            )
        )
        line = (
            alt.Chart(own.loc[own["stretch"] > 0, ["on", "gap", "phase", "stretch"]])
            .mark_line(color=COLOURS["accent"], strokeWidth=2, aria=False)
            .encode(
                x=x,
                y=alt.Y("gap:Q", scale=height),
                detail="stretch:N",
                strokeDash=alt.StrokeDash(
                    "phase:N",
                    scale=alt.Scale(domain=["talks", "after"], range=[[1, 0], [4, 3]]),
                    legend=None,
                ),
            )
        )
        bounds = (
            alt.Chart(lines[["on", "milestone"]])
            .mark_rule(color=MUTED, strokeWidth=1, strokeDash=[2, 3], aria=False)
            .encode(x=x)
        )
        points = (
            alt.Chart(marks[["on", "gap", "direction", "link", "said"]])
            .mark_point(filled=True, size=64, opacity=1, stroke=PAPER, strokeWidth=0.8)
            .encode(
                x=x,
                y=alt.Y("gap:Q", scale=height),
                href="link:N",
                description="said:N",
                color=alt.Color(
                    "direction:N",
                    title="A signal says",
                    scale=alt.Scale(
                        domain=DIRECTIONS,
                        range=[COLOURS[name] for name in DIRECTIONS],
                    ),
                    legend=alt.Legend(orient="bottom"),
                ),
                shape=alt.Shape(
                    "direction:N",
                    title="A signal says",
                    scale=alt.Scale(
                        domain=DIRECTIONS,
                        range=["circle", "triangle-down", "square", "triangle-up"],
                    ),
                ),
            )
        )
        panels.append(
            alt.layer(bounds, band, line, points).properties(
                width=430, height=130, title=alt.TitleParams(issue, anchor="start")
            )
        )
    return styled(
        alt.concat(*panels, columns=2, spacing={"row": 18, "column": 28}).properties(
            description=describe_gaps(record, view),
            usermeta={
                "caption": (
                    "As known then: nothing published later is used. "
                    if view == "then"
                    else "With hindsight: everything published is used for every day. "
                )
                + "1 is as far apart as at the start, 0 is agreed; the band holds the gap with 90 %"
                " probability under the model. Dotted lines are milestones; a line goes dashed"
                " where the issue was settled, deferred or dropped. A dot leads to its sentence."
                f"{tell_silence(spoken)}"
            },
        )
    )


def chart_whole(record: Record) -> alt.TopLevelMixin:
    """Return the gap of the talks as a whole over time, by three weightings side by side."""
    whole = combine_gaps(record.gaps, record.negotiation)
    whole = whole[whole["view"] == "then"].assign(issue_id=lambda rows: rows["weighting"])
    whole = thin_out(whole.assign(status="")).assign(
        on=lambda rows: rows["on"].dt.tz_localize("UTC")
    )
    panels = [
        series_panel(
            own.assign(series="whole"), {"whole": COLOURS["accent"]}, f"By {WEIGHED[name]}", 270
        )
        for name, own in whole.groupby("weighting", sort=False)
    ]
    said = "; ".join(
        f"by {WEIGHED[row.weighting]} {row.gap:.2f}, band {row.gap_low:.2f} to {row.gap_high:.2f}"
        for row in whole.drop_duplicates("weighting", keep="last").itertuples()
    )
    return styled(
        alt.concat(*panels, columns=3, spacing=24).properties(
            description=f"Gap of the talks as a whole on the last day: {said}.",
            usermeta={
                "caption": "The weighted mean gap of the issues as known then, with its 90 % band."
                " By trade, an issue weighs the largest flow in dollars on record for it; one"
                " without such a figure weighs nothing."
            },
        )
    )


WEIGHED = {"equal": "equal weights", "salience": "salience", "trade": "trade at stake"}
SILENT_DAYS = 90  # so long after the last report a line is no longer drawn
THIN = 0.5  # share of silent days from which the record on an issue is thin
JUMP = 0.015  # a smaller step of the gap from day to day bends no line on a page
SIDES = ["accent", "open", "deferred", "closed"]
MOST = 6  # issues whose sides are drawn, the weightiest first
FEWEST = 3  # signals of a side on an issue from which its series is drawn


def chart_sides(record: Record) -> alt.TopLevelMixin:
    """Return what each side says of the gap over time, a panel an issue on which both speak."""
    parties = record.negotiation.parties
    apart = measure_divergence(record.signals, record.negotiation, as_of=record.as_of)
    apart = apart[apart["view"] == "then"]
    said = apart.groupby("issue_id")[["signals_party", "signals_other"]].max().min(axis=1)
    names = read_issues().set_index("issue_id")["issue"]
    direct = set(record.evidence.loc[~record.evidence["is_overall"], "issue_id"])
    kept = [issue for issue in said[said >= FEWEST].index if issue in direct]
    order = [name for name in issue_order(record) if name in set(names[kept])][:MOST]
    colours = {party: COLOURS[SIDES[n % len(SIDES)]] for n, party in enumerate(parties)}
    panels = []
    for name in order:
        own = apart[apart["issue_id"].map(names) == name]
        frames = []
        for party in parties:
            as_one, as_other = own[own["party"] == party], own[own["other"] == party]
            rows, suffix = (as_one, "party") if len(as_one) else (as_other, "other")
            rows = rows.drop_duplicates("on").rename(
                columns={
                    f"gap_{suffix}": "gap",
                    f"gap_low_{suffix}": "gap_low",
                    f"gap_high_{suffix}": "gap_high",
                }
            )
            frames.append(thin_out(rows.assign(series=party, status="")))
        shown = pd.concat(frames).assign(on=lambda rows: rows["on"].dt.tz_localize("UTC"))
        panels.append(series_panel(shown, colours, name, 270))
    last = apart[apart["on"] == apart["on"].max()]
    told = "; ".join(
        f"{names[row.issue_id]}: {row.party} {row.gap_party:.2f}, {row.other} {row.gap_other:.2f}"
        for row in last[last["issue_id"].isin(kept)].itertuples()
    )
    return styled(
        alt.concat(*panels, columns=3, spacing={"row": 18, "column": 24}).properties(
            description=f"The gap by what each side says, last day: {told or 'none'}.",
            usermeta={
                "caption": "What each side's statements alone say of the gap, as known then, with"
                " 90 % bands. Where the bands part, the sides tell different stories. Drawn for the"
                f" {MOST} weightiest issues on which each side has {FEWEST} signals or more;"
                " while a side is silent its line only drifts."
            },
        )
    )


def series_panel(rows: pd.DataFrame, colours: dict[str, str], title: str, width: int) -> Any:
    """Return one panel of lines with bands, a colour a series."""
    x = alt.X(
        "on:T",
        scale=alt.Scale(type="utc"),
        title=None,
        axis=alt.Axis(format="%b %y", grid=False, tickCount=4),
    )
    height = alt.Scale(domain=[0, 1])
    colour = alt.Color(
        "series:N",
        title=None,
        scale=alt.Scale(domain=list(colours), range=list(colours.values())),
        legend=alt.Legend(orient="bottom", symbolOpacity=1) if len(colours) > 1 else None,
    )
    base = alt.Chart(rows[["on", "series", "gap", "gap_low", "gap_high"]]).encode(x=x, color=colour)
    band = base.mark_area(opacity=0.16, aria=False).encode(
        y=alt.Y("gap_low:Q", scale=height, title=None, axis=alt.Axis(tickCount=3)), y2="gap_high:Q"
    )
    line = base.mark_line(strokeWidth=2, aria=False).encode(y=alt.Y("gap:Q", scale=height))
    return alt.layer(band, line).properties(
        width=width, height=120, title=alt.TitleParams(title, anchor="start")
    )


def chart_calibration(study: pd.DataFrame) -> alt.TopLevelMixin:
    """Return the error of each method on simulated talks, a row a scenario."""
    methods = {"model": "accent", "30-day mean": "open", "local level": "widening"}
    methods |= {"exponential smoothing": "deferred", "oracle": "closed"}
    rows = study[study["kind"].isin(["all", "path", "reporting", "outlets", "coding"])]
    rows = rows[rows["method"].isin(list(methods))].assign(
        said=lambda each: (
            each["scenario"] + ", " + each["method"] + ": " + each["rmse"].map("{:.3f}".format)
        )
    )
    order = list(dict.fromkeys(rows["scenario"]))
    marks = (
        alt.Chart(rows[["scenario", "method", "rmse", "said"]])
        .mark_point(filled=True, size=80, opacity=1)
        .encode(
            x=alt.X(
                "rmse:Q",
                title="Error of the gap (root mean square)",
                scale=alt.Scale(domain=[0, 0.4]),
            ),
            y=alt.Y("scenario:N", sort=order, title=None, axis=alt.Axis(grid=True, labelLimit=160)),
            color=alt.Color(
                "method:N",
                title=None,
                scale=alt.Scale(domain=list(methods), range=[COLOURS[c] for c in methods.values()]),
                legend=alt.Legend(orient="bottom", columns=3),
            ),
            shape=alt.Shape(
                "method:N",
                title=None,
                scale=alt.Scale(
                    domain=list(methods),
                    range=["circle", "square", "triangle-up", "diamond", "cross"],
                ),
            ),
            description="said:N",
        )
    )
    whole = rows[rows["kind"] == "all"]
    told = "; ".join(f"{row.method} {row.rmse:.3f}" for row in whole.itertuples())
    return styled(
        marks.properties(
            width=560,
            height=alt.Step(26),
            description=f"Error of each method, a row a scenario of simulated talks. All: {told}.",
            usermeta={
                "caption": "Left is better. Every method read the same simulated talks; the oracle"
                " was told everything about the simulator but the path itself."
            },
        )
    )


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


def issue_order(record: Record) -> list[str]:
    """Return the issues' names, the weightiest first, the talks as a whole above them."""
    issues = record.negotiation.issues.merge(read_issues(), on="issue_id")
    whole = issues["issue_id"] == "overall"
    ordered = issues.assign(whole=whole).sort_values(
        ["whole", "salience"], ascending=False, kind="stable"
    )
    return list(ordered["issue"])


def find_stretches(gaps: pd.DataFrame) -> pd.DataFrame:
    """Return one row per issue and day: the stretch of reports that it is in, 0 in a silence.

    A silence begins SILENT_DAYS after the last report on the issue and ends with the next one, or
    when the issue is settled.
    """
    rows = gaps.loc[gaps["view"] == "then", ["issue_id", "on", "signals", "status"]]
    rows = rows.rename(columns={"on": "day"})
    before = rows.groupby("issue_id")["signals"].shift(fill_value=0)
    last = rows["day"].where(rows["signals"] > before).groupby(rows["issue_id"]).ffill()
    talks = rows["status"] == "negotiated"
    silent = talks & ~(rows["day"] - last <= pd.Timedelta(days=SILENT_DAYS))
    starts = silent != silent.groupby(rows["issue_id"]).shift()
    number = starts.groupby(rows["issue_id"]).cumsum()
    return rows.assign(silent=silent, talks=talks, stretch=number.where(~silent, 0)).drop(
        columns="status"
    )


def tell_silence(stretches: pd.DataFrame) -> str:
    """Return on which issues the record is thin, as an end to a caption; nothing for none."""
    talks = stretches[stretches["talks"]].merge(read_issues(), on="issue_id")
    share = talks.groupby("issue", sort=False)["silent"].mean()
    thin = [name.lower() for name in share[share >= THIN].index]
    if not talks["silent"].any():
        return ""
    told = f" No line is drawn where nothing was reported for {SILENT_DAYS} days."
    return told + (
        f" That is so most of the time on {', '.join(thin)}: the record is thin." if thin else ""
    )


def thin_out(gaps: pd.DataFrame) -> pd.DataFrame:
    """Return the days at which a line bends: each tenth, and those where the gap jumps."""
    by_issue = gaps.groupby("issue_id")["gap"]
    jumps = by_issue.diff().abs().gt(JUMP) | by_issue.diff(-1).abs().gt(JUMP)
    turns = gaps["status"] != gaps.groupby("issue_id")["status"].shift()
    number = gaps.groupby("issue_id").cumcount()
    last = number == gaps.groupby("issue_id")["on"].transform("size") - 1
    return gaps[jumps | turns | last | (number % 10 == 0)]


def sentence_ids(rows: pd.DataFrame) -> pd.Series:
    """Return the anchor of each signal's sentence on a page."""
    return "s-" + rows["sha256"].str[:8] + "-" + rows["start"].astype(str)


def column_label(row: Any) -> str:
    """Return a round as its column is headed."""
    if row.round_id == "now":
        return f"As of {day_text(row.on)}"
    return f"{row.held_on.day} {row.held_on:%b %Y} · {row.round}"


def day_text(day: Any) -> str:
    """Return a day as people write it.

    >>> day_text(pd.Timestamp("2019-08-02"))
    '2 August 2019'
    """
    return f"{day.day} {day:%B %Y}"


def read_out(row: Any) -> str:
    """Return one reading as a sentence."""
    where = "now" if row.round_id == "now" else f"after {row.round}"
    if row.status != "negotiated":
        return f"{row.issue}, {where}: {row.status}"
    return f"{row.issue}, {where}: gap {row.gap:.2f}, band {row.gap_low:.2f} to {row.gap_high:.2f}"


def describe_rounds(record: Record) -> str:
    """Return the text alternative of the issue by round picture."""
    cells = read_rounds(record)
    now = cells[cells["round_id"] == "now"]
    said = "; ".join(
        f"{row.issue} {row.status if row.status != 'negotiated' else f'{row.gap:.2f}'}"
        for row in now.itertuples()
    )
    rounds = record.negotiation.rounds
    count = int((rounds["held_on"] <= pd.Timestamp(record.as_of)).sum())
    return (
        f"Grid of {now['issue_id'].nunique()} issues by {count} rounds, each cell the gap after the"
        f" round. On {day_text(record.as_of)}: {said}."
    )


def describe_gaps(record: Record, view: str) -> str:
    """Return the text alternative of the gap over time."""
    gaps = record.gaps[record.gaps["view"] == view].merge(read_issues(), on="issue_id")
    said = []
    for issue, rows in gaps.groupby("issue", sort=False):
        first, last = rows["gap"].iloc[0], rows["gap"].iloc[-1]
        trend = "falls" if last < first - 0.05 else "rises" if last > first + 0.05 else "holds"
        lowest = rows["gap"].min()
        said.append(
            f"{issue} {trend} from {first:.2f} to {last:.2f}, lowest {lowest:.2f},"
            f" {rows['status'].iloc[-1]}"
        )
    return "Gap over time with its band, a panel an issue. " + "; ".join(said) + "."
