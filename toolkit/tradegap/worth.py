"""Sixth stage, of the stakes: trade and tariffs in, what each gap is worth out.

The trade balance (exports less imports) and the negotiating gap (between positions) stand on one
page and are two things. So trade has a colour of its own here, which no picture of the gap uses,
and "gap" is said of positions only; tests hold both.
"""

from __future__ import annotations

from itertools import combinations, permutations
from typing import Any

import altair as alt
import pandas as pd

from tradegap.charts import INK, MUTED, RULE, day_text, issue_order, styled
from tradegap.each import join_words as join
from tradegap.each import name_party
from tradegap.panels import Panel, macros
from tradegap.record import Record
from tradegap.stakes import Trade, measure_stakes, read_trade, select_stakes, trace_balance
from tradegap.talks import read_issues

__all__ = ["chart_balance", "list_stakes"]

TRADE = "#b3478c"  # 3:1 and more on the light and on the dark page
MARKED = {
    "agreement in principle": "announced",
    "agreement": "agreed",
    "signature": "signed",
    "entry into force": "in force",
}
NO_CAUSE = (
    "The one does not cause the other: that the balance moved while the sides talked does not mean"
    " that the talks moved it, nor that it moved the talks."
)
WIDTH, LETTER = 640, 5.6  # of a panel and of one letter of its words, in pixels
IN_FORCE = "tariff in force"


def list_stakes(record: Record) -> Panel:
    """Return what each gap is worth: trade before the talks, tariffs in force and asked for.

    An issue a row, beside its gap on the record's day. What no statistics here know is said.
    """
    trade = read_trade()
    figures = measure_stakes(record.negotiation, as_of=record.as_of, trade=trade)
    named = select_stakes(record.negotiation, as_of=record.as_of)
    then = record.gaps[record.gaps["view"] == "then"]
    now = then[then["on"] == then["on"].max()].merge(read_issues(), on="issue_id")
    listed = trade.issue_products.drop_duplicates("issue_id").set_index("issue_id")
    lines = listed["tariff_lines"]
    notes = listed.loc[listed["group_id"] == "", "note"]
    rows, bare = [], []
    place = {issue: number for number, issue in enumerate(issue_order(record))}
    for gap in sorted(now.to_dict("records"), key=lambda each: place[each["issue"]]):
        own = figures[(figures["issue_id"] == gap["issue_id"]) & figures["imports_mn"].notna()]
        told = named[named["issue_id"] == gap["issue_id"]]
        # What a source states of trade is shown where no statistics are.
        stated = told[told["kind"].eq("trade") & own.empty]
        wanted = told[~told["kind"].isin(["trade", IN_FORCE])]
        means = mean_lines(figures[figures["issue_id"] == gap["issue_id"]])
        if own.empty and told.empty and not means:
            bare.append(gap["issue"].lower())
            continue
        rows.append(
            {
                "gap": gap,
                "lines": lines.get(gap["issue_id"], "").replace(";", ", "),
                "trade": [trade_line(each, trade) for each in own.to_dict("records")],
                "stated": stated.to_dict("records"),
                "in_force": told[told["kind"] == IN_FORCE].to_dict("records"),
                "means": means,
                "wanted": wanted.to_dict("records"),
                "note": notes.get(gap["issue_id"], ""),
            }
        )
    return Panel(
        macros("worth.html.j2").stakes(
            rows=rows,
            bare=join(bare),
            lacks=lacks(record, figures, trade),
            window=window(figures),
            blocs=name_blocs(figures, trade),
            sources=cite(figures["source_id"], trade),
            as_of=record.as_of,
        )
    )


def trade_line(row: dict[str, Any], trade: Trade) -> dict[str, str]:
    """Return one figure of trade as a page prints it."""
    group = trade.groups.set_index("group_id").loc[row["group_id"]]
    codes = "" if group["codes"] in ("all", "01-99") else group["codes"].replace(";", ", ")
    if group["classification"] not in ("HS", "NAICS"):
        codes = " "
    duty = row["duty_pct"]
    return {
        "amount": money(row["imports_mn"], row["unit"]),
        "way": f"{row['exporter']} to {row['importer']}",
        "product": group["product"].lower(),
        "codes": f"{group['classification']} {codes}".strip() if codes else "",
        "note": group["note"],
        "year": row["from_month"][:4] if is_year(row["from_month"], row["to_month"]) else "",
        "duty": "" if duty != duty else f"{duty:.2f}",
    }


def is_year(first: str, last: str) -> bool:
    """Return whether the months from one to another are a calendar year."""
    return first[5:] == "01" and last == f"{first[:4]}-12"


def window(figures: pd.DataFrame) -> str:
    """Return the months of the figures that are no calendar year's, as a page prints them."""
    spans = zip(figures["from_month"], figures["to_month"], strict=True)
    months = {span for span in spans if span[0] and not is_year(*span)}
    return "; ".join(f"{month_text(a)} to {month_text(b)}" for a, b in sorted(months))


def money(millions: float, unit: str) -> str:
    """Return millions of a currency as people write them.

    >>> money(53317.8, "USD m"), money(943.9, "USD m"), money(1438785.0, "JPY m")
    ('USD 53.3 bn', 'USD 0.94 bn', 'JPY 1,439 bn')
    """
    billions = millions / 1000
    digits = 0 if billions >= 100 else 1 if billions >= 1 else 2
    return f"{unit.removesuffix(' m')} {billions:,.{digits}f} bn"


def month_text(month: str) -> str:
    """Return a month of ISO form as people write it.

    >>> month_text("2018-07")
    'July 2018'
    """
    return f"{pd.Timestamp(month + '-01'):%B %Y}"


def mean_lines(figures: pd.DataFrame) -> list[str]:
    """Return the mean tariffs of an issue, one line a side, at the opening and now."""
    rows = figures[figures["tariff_start_pct"].notna()].drop_duplicates(["importer", "exporter"])
    return [
        f"{row.importer} on {row.exporter}: {row.tariff_start_pct:.1f} % at the start"
        + (f", {row.tariff_pct:.1f} % now" if row.tariff_pct == row.tariff_pct else "")
        for row in rows.itertuples()
    ]


def lacks(record: Record, figures: pd.DataFrame, trade: Trade) -> list[str]:
    """Return sentences on what is not on record of the trade between the parties."""
    if figures["imports_mn"].isna().all():
        return [no_trade(record), "What stands in the table is what single sources state."]
    names = read_issues().set_index("issue_id")["issue"].str.lower()
    grouped = trade.issue_products.loc[trade.issue_products["group_id"] != "", "issue_id"]
    said = []
    for pair in combinations(record.negotiation.parties, 2):
        own = figures[figures["importer"].isin(pair) & figures["exporter"].isin(pair)]
        first, second = map(name_party, pair)
        if own["imports_mn"].isna().all():
            said.append(f"No trade between {first} and {second} is on record here.")
            continue
        for importer, exporter in permutations(pair):
            none = own[(own["importer"] == importer) & own["imports_mn"].isna()]
            issues = [names[each] for each in none["issue_id"] if each in set(grouped)]
            if issues:
                said.append(
                    f"What {name_party(importer)} imports from {name_party(exporter)} is not on"
                    f" record here for {join(list(dict.fromkeys(issues)))}."
                )
    return said


def no_trade(record: Record) -> str:
    """Return the sentence on parties of whose trade nothing is on record."""
    parties = join([name_party(party) for party in record.negotiation.parties])
    return f"No statistics of the trade between {parties} are on record here for these months."


def name_blocs(figures: pd.DataFrame, trade: Trade) -> str:
    """Return who is in a bloc that statistics know in several forms; "" where there is none."""
    prose = trade.partners.set_index("partner")["in_prose"]
    return join([prose[code] for code in dict.fromkeys(figures["partner"]) if code])


def cite(source_ids: pd.Series[str], trade: Trade) -> list[dict[str, Any]]:
    """Return the sources behind some figures, each once."""
    used = trade.sources[trade.sources["source_id"].isin(source_ids)]
    return list(used.to_dict("records"))


def chart_balance(record: Record) -> alt.TopLevelMixin | Panel:
    """Return the monthly trade balance over the talks, a panel a pair; a sentence where none is.

    Exports less imports, from a year before the talks to the last month whose figures were out by
    the record's day. Lines mark when the deal was announced, agreed, signed and in force.
    """
    trade = read_trade()
    rows = trace_balance(record.negotiation, as_of=record.as_of, trade=trade)
    if rows.empty:
        return Panel(macros().note(text=f"No trade balance is drawn. {no_trade(record)}"))
    names = trade.partners.set_index("partner")["in_prose"]
    marks = mark_dates(record)
    panels: list[Any] = []
    for (reporter, partner), own in rows.groupby(["reporter", "partner"], sort=False):
        unit = own["unit"].iloc[0].removesuffix(" m") + " bn"
        title = f"{capital(names[reporter])}: exports less imports with {names[partner]}"
        panels.append(balance_panel(own, marks, title, unit, is_first=not panels))
    return styled(
        alt.vconcat(*panels, spacing=26).properties(
            description=describe_balance(rows, names),
            usermeta={
                "caption": "The trade balance a month in goods: below the line the imports are"
                f" larger. {NO_CAUSE} Months whose figures were not out by {day_text(record.as_of)}"
                f" are not drawn. {join_vintages(rows, trade)}"
            },
        )
    )


def mark_dates(record: Record) -> pd.DataFrame:
    """Return one row per date to mark: the opening, and what of the deal was known by the day."""
    stones = record.negotiation.milestones
    stones = stones[stones["kind"].isin(list(MARKED))]
    stones = stones[stones["reached_on"] <= pd.Timestamp(record.as_of)]
    rows = pd.DataFrame(
        {
            "on": [pd.Timestamp(record.negotiation.opened_on), *stones["reached_on"]],
            "word": ["talks open", *stones["kind"].map(MARKED)],
        }
    ).sort_values("on", kind="stable")
    days = [f"{day.day} {day:%b %Y}" for day in rows["on"]]
    return rows.assign(
        label=[f"{word}, {day}" for word, day in zip(rows["word"], days, strict=True)],
        on=rows["on"].dt.tz_localize("UTC"),
    )


def place_words(marks: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> pd.DataFrame:
    """Return the marks, each with the line of text on which its words meet no others.

    Words stand left of their date where it is late, so that none runs out of the picture.
    """
    at = (marks["on"] - first) / (last - first) * WIDTH
    is_late = at > WIDTH * 0.7
    taken: list[list[tuple[float, float]]] = []
    lines = []
    for x, late, label in zip(at, is_late, marks["label"], strict=True):
        wide = len(label) * LETTER + 8
        own = (x - wide, x) if late else (x, x + wide)
        free = (n for n, used in enumerate(taken) if all(own[0] > b or own[1] < a for a, b in used))
        line = next(free, len(taken))
        taken[line:] = taken[line:] or [[]]
        taken[line].append(own)
        lines.append(line)
    return marks.assign(line=lines, is_late=is_late)


def balance_panel(
    rows: pd.DataFrame, marks: pd.DataFrame, title: str, unit: str, *, is_first: bool
) -> Any:
    """Return one panel: the monthly balance as steps, lines at the dates.

    The words of the dates stand above the first panel only.
    """
    months = pd.to_datetime(rows["month"] + "-01").dt.tz_localize("UTC")
    balance = (rows["balance_mn"] / 1000).round(2)
    # A step reaches to the next month; the last one ends with its own.
    steps = pd.DataFrame(
        {
            "month": [*months, months.iloc[-1] + pd.offsets.MonthBegin()],
            "balance": [*balance, balance.iloc[-1]],
        }
    )
    first, last = steps["month"].min(), max(steps["month"].max(), marks["on"].max())
    placed = place_words(marks, first, last)
    above = 12 * (placed["line"].max() + 1) + 4 if is_first else 0
    x = alt.X(
        "month:T",
        scale=alt.Scale(type="utc", domain=[stamp(first), stamp(last)]),
        title=None,
        axis=alt.Axis(format="%b %y", grid=False, ticks=False, values=label_months(months)),
    )
    drawn = (
        alt.Chart(steps)
        .mark_area(color=TRADE, interpolate="step-after", aria=False)
        .encode(x=x, y=alt.Y("balance:Q", title=unit, axis=alt.Axis(tickCount=3, ticks=False)))
    )
    zero = alt.Chart(pd.DataFrame({"zero": [0]})).mark_rule(color=MUTED, aria=False)
    base = alt.Chart(placed[["on"]]).encode(x="on:T")
    layers = [
        *[base.mark_rule(color=RULE, aria=False).encode(y=alt.value(-above), y2=alt.value(0))]
        * is_first,
        drawn,
        zero.encode(y="zero:Q"),
        base.mark_rule(color=INK, strokeWidth=1, aria=False),
    ]
    worded = placed if is_first else placed.iloc[:0]
    for (is_late, line), own in worded.groupby(["is_late", "line"]):
        align: Any = "right" if is_late else "left"
        words = alt.Chart(own[["on", "label"]]).mark_text(
            align=align, dx=-4 if is_late else 4, fontSize=10.5, color=INK, aria=False
        )
        layers.append(words.encode(x="on:T", y=alt.value(12 * line + 8 - above), text="label:N"))
    return alt.layer(*layers).properties(
        width=WIDTH, height=150, title=alt.TitleParams(title, anchor="start", offset=6)
    )


def label_months(months: pd.Series[Any]) -> list[int]:
    """Return the months that an axis names: eight at most, whole quarters apart.

    >>> len(label_months(pd.Series(pd.date_range("2016-08-01", "2020-04-01", freq="MS"))))
    7
    """
    for apart in (1, 3, 6, 12, 24, 60):
        named = [day for day in months if (12 * day.year + day.month - 1) % apart == 0]
        if len(named) <= 8:
            break
    return [stamp(day) for day in named]


def stamp(day: pd.Timestamp) -> int:
    """Return a day as Vega takes it: milliseconds."""
    return int(day.timestamp() * 1000)


def join_vintages(rows: pd.DataFrame, trade: Trade) -> str:
    """Return where the figures come from, and where a later vintage joins an earlier one."""
    sources = trade.sources.set_index("source_id")
    used = sources.loc[list(dict.fromkeys(rows["source_id"]))]
    said = f"Source: {join(list(dict.fromkeys(used['publisher'])))}; {used['basis'].iloc[0]}."
    vintages = rows["source_id"].map(sources["vintage"])
    turns = rows[(vintages != vintages.shift()) & (rows["partner"] == rows["partner"].shift())]
    for month in dict.fromkeys(turns["month"]):
        said += (
            f" From {month_text(month)} on the figures are of a later vintage than before, and do"
            " not join smoothly."
        )
    stood = [
        month_text(each) if len(each) == 7 else each for each in dict.fromkeys(used["vintage"])
    ]
    return f"{said} As they stood in {join(stood)}; revised since."


def describe_balance(rows: pd.DataFrame, names: pd.Series[str]) -> str:
    """Return the text alternative of the balance over the talks."""
    said = []
    for (reporter, partner), own in rows.groupby(["reporter", "partner"], sort=False):
        unit = own["unit"].iloc[0].removesuffix(" m")
        parts = [
            f"{month_text(own['month'].iloc[place])} {own['balance_mn'].iloc[place] / 1000:.1f}"
            for place in (0, -1)
        ]
        low, high = own["balance_mn"].min() / 1000, own["balance_mn"].max() / 1000
        said.append(
            f"{names[reporter]} with {names[partner]}, {unit} billion: {parts[0]}, {parts[1]};"
            f" between {low:.1f} and {high:.1f}"
        )
    return f"Monthly trade balance, exports less imports. {'; '.join(said)}."


def capital(words: str) -> str:
    """Return words as they open a sentence.

    >>> capital("the United States")
    'The United States'
    """
    return words[:1].upper() + words[1:]
