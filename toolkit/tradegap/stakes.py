"""Fifth stage: a negotiation and trade statistics in, what each issue is worth and the balance out.

`data/trade/` holds the statistics as CSV, each row with its source, each source with its unit and
vintage. Months that are missing and units that change are refused as a whole, with every fault
named: a sum over a hole, or over two units, would look like any other. The balance here is exports
less imports; the negotiating gap is another thing, and no figure of this stage enters it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import permutations
from pathlib import Path
from typing import Any

import pandas as pd

from tradegap.errors import DataError
from tradegap.project import project_root
from tradegap.tables import conform, declared_tables, read_table
from tradegap.talks import Negotiation, read_issues, read_parties

__all__ = [
    "FOLDER",
    "Trade",
    "list_months",
    "measure_stakes",
    "read_trade",
    "select_stakes",
    "trace_balance",
]

FOLDER = "data/trade"
TABLES = {
    "sources": "trade_sources",
    "partners": "trade_partners",
    "groups": "product_groups",
    "issue_products": "issue_products",
    "totals": "trade_totals",
    "products": "trade_products",
    "annual": "trade_products_annual",
    "tariffs": "tariff_means",
}
PUBLISHED_DAYS = 40  # after the end of a month: when statistics of it come out, about five weeks
JUMP = 25.0  # from month to month; no trade of millions does that, a change of unit does
ALL_GOODS = "hs-all"  # the group of the monthly totals
SMALL = 50.0  # millions: below it one ship can be a jump
MONTHS = 12  # before the talks opened
KNOWN_WHEN_AGREED = "tariff agreed"


@dataclass(frozen=True)
class Trade:
    """All statistics of data/trade, as frames of the declared tables that TABLES names."""

    sources: pd.DataFrame
    partners: pd.DataFrame
    groups: pd.DataFrame
    issue_products: pd.DataFrame
    totals: pd.DataFrame
    products: pd.DataFrame
    annual: pd.DataFrame
    tariffs: pd.DataFrame


def read_trade(folder: Path | None = None) -> Trade:
    """Return the statistics of a folder, the project's own if none is given.

    Raises DataError with all faults at once: what breaks its declaration, names what no list
    knows, leaves a month out, changes its unit, or names a product group without trade.
    """
    folder = folder or project_root() / FOLDER
    tables = declared_tables()
    frames: dict[str, pd.DataFrame] = {}
    faults: list[str] = []
    for name, table in TABLES.items():
        try:
            frames[name] = read_table(folder / Path(tables[table].path).name, table)
        except DataError as error:
            faults += error.faults
    if not faults:
        trade = Trade(**frames)
        faults = [f"{folder / fault}" for fault in find_faults(trade)]
    if faults:
        root = f"{project_root()}/"
        raise DataError([fault.replace(root, "") for fault in faults])
    return trade


def find_faults(trade: Trade) -> list[str]:
    """Return one line per fault that only shows between rows or between files."""
    tables = declared_tables()
    codes = {
        "issues": set(read_issues()["issue_id"]),
        "parties": set(read_parties()["party"]),
        "trade_partners": set(trade.partners["partner"]),
        "trade_sources": set(trade.sources["source_id"]),
        "product_groups": set(trade.groups["group_id"]),
    }
    faults = []
    for name, table in TABLES.items():
        declared, frame = tables[table], getattr(trade, name)
        file = Path(declared.path).name
        for column, target in declared.refers_to.items():
            strange = frame[column].map(lambda value, known=codes[target]: value not in known)
            for value, rows in frame[strange & (frame[column] != "")].groupby(column):
                listed = Path(tables[target].path).name
                faults.append(
                    f"{file}:row {rows.index[0] + 2}: column '{column}' found '{value}'; it takes a"
                    f" code of {listed}"
                )
    units = trade.sources.set_index("source_id")["unit"]
    for name, values in (("totals", ["exports_mn", "imports_mn"]), ("products", ["imports_mn"])):
        declared = tables[TABLES[name]]
        keys = [key for key in declared.key if key != "month"]
        # Totals run on; of products two sources may tell of times that are years apart.
        rows, runs_on = getattr(trade, name), name == "totals"
        lines = find_series_faults(rows, keys, values, units, runs_on=runs_on)
        faults += [f"{Path(declared.path).name}: {line}" for line in lines]
    used = set(trade.products["group_id"]) | set(trade.annual["group_id"])
    listed = trade.issue_products
    for row, each in listed[~listed["group_id"].isin(used | {""})].iterrows():
        faults.append(
            f"issue_products.csv:row {int(str(row)) + 2}: no trade of the group"
            f" '{each['group_id']}' is in products_monthly.csv or products_annual.csv; add its"
            " trade, or leave the group empty"
        )
    return list(dict.fromkeys(faults))


def find_series_faults(
    rows: pd.DataFrame,
    keys: list[str],
    values: list[str],
    units: pd.Series[str],
    *,
    runs_on: bool,
) -> Iterator[str]:
    """Yield the faults of monthly series: their holes, their units, their jumps."""
    rows = rows.sort_values([*keys, "month"])
    rows = rows.assign(unit=rows["source_id"].map(units), count=count_months(rows["month"]))
    before = rows.groupby(keys)[["month", "unit", "count", "source_id", *values]].shift()
    holes = rows["count"] - before["count"] > 1
    for row, was in paired(
        rows, before, holes & (runs_on | (rows["source_id"] == before["source_id"]))
    ):
        missing = list_months(was["month"], row["month"])[1:-1]
        shown = ", ".join(missing[:6]) + " and more" * (len(missing) > 6)
        name = " ".join(row[keys])
        yield f"{name}: no row for {shown}; add the months, or end the series before them"
    turned = before["unit"].notna() & rows["unit"].notna() & (rows["unit"] != before["unit"])
    for row, was in paired(rows, before, turned):
        yield (
            f"{' '.join(row[keys])}: {row['month']} is in {row['unit']}, the month before in"
            f" {was['unit']}; keep one unit a series"
        )
    for value in values:
        times = rows[value].clip(lower=SMALL) / before[value].clip(lower=SMALL)
        for row, was in paired(rows, before, ~turned & ((times > JUMP) | (times < 1 / JUMP))):
            yield (
                f"{' '.join(row[keys])}: {value} goes from {was[value]:g} to {row[value]:g} in"
                f" {row['month']}; did the unit change? It takes millions of its source's unit"
            )


def paired(
    rows: pd.DataFrame, before: pd.DataFrame, wanted: pd.Series[bool]
) -> Iterator[tuple[pd.Series[Any], pd.Series[Any]]]:
    """Yield the wanted rows, each with the one before it in its series."""
    for row in rows.index[wanted]:
        yield rows.loc[row], before.loc[row]


def count_months(months: pd.Series[str]) -> pd.Series[int]:
    """Return months as whole numbers, one apart where they follow each other."""
    return months.str[:4].astype(int) * 12 + months.str[5:].astype(int)


def list_months(first: str, last: str) -> list[str]:
    """Return the months from one to another, both among them.

    >>> list_months("2017-11", "2018-02")
    ['2017-11', '2017-12', '2018-01', '2018-02']
    """
    return [str(month) for month in pd.period_range(first, last, freq="M")]


def months_before(day: date) -> list[str]:
    """Return the twelve whole months before the month of a day.

    >>> months_before(date(2018, 8, 9))[0], months_before(date(2018, 8, 9))[-1]
    ('2017-08', '2018-07')
    """
    opened = pd.Period(day, freq="M")
    return list_months(str(opened - MONTHS), str(opened - 1))


def published_by(day: date) -> str:
    """Return the latest month whose statistics had come out by a day.

    >>> published_by(date(2019, 10, 10)), published_by(date(2019, 10, 8))
    ('2019-08', '2019-07')
    """
    ended = pd.Timestamp(day) - pd.Timedelta(days=PUBLISHED_DAYS) + pd.Timedelta(days=1)
    return str(pd.Period(ended, freq="M") - 1)


def trace_balance(
    negotiation: Negotiation, *, as_of: date | None = None, trade: Trade | None = None
) -> pd.DataFrame:
    """Return one row per pair of parties and month: exports, imports and balance of the reporter.

    From twelve months before the talks to the last month whose figures had come out by `as_of`;
    as they stand in the vintage on record, which may have been revised since. A pair that is in
    no statistics here has no rows.
    """
    trade = trade or read_trade()
    codes = choose_codes(trade, negotiation)
    own = trade.totals[
        trade.totals["month"].between(*span(negotiation, as_of))
        & trade.totals["reporter"].isin(codes)
        & trade.totals["partner"].isin(codes)
    ]
    # Where both sides report, one of them is drawn: two would differ by freight and insurance.
    pairs = [tuple(sorted(pair)) for pair in zip(own["reporter"], own["partner"], strict=True)]
    reporter = own["reporter"].groupby(pd.Series(pairs, index=own.index)).transform("first")
    own = own[own["reporter"] == reporter]
    return conform(
        own.assign(
            balance_mn=(own["exports_mn"] - own["imports_mn"]).round(1),
            unit=own["source_id"].map(trade.sources.set_index("source_id")["unit"]),
        ),
        "balances",
    )


def span(negotiation: Negotiation, as_of: date | None) -> tuple[str, str]:
    """Return the first and last month to look at: a year before the talks, and what was out."""
    day = as_of or negotiation.ended_on
    return months_before(negotiation.opened_on)[0], published_by(day) if day else "9999-12"


def choose_codes(trade: Trade, negotiation: Negotiation) -> list[str]:
    """Return the codes under which statistics know the parties, one for each that they know.

    Of two that stand for one party the one with more months of these talks is taken, whatever the
    record's day, so that one negotiation is told in one; of two with as many, the first.
    """
    pairs = [
        trade.totals[["reporter", "partner", "month"]],
        trade.products[["importer", "exporter", "month"]],
    ]
    seen = pd.concat([rows.set_axis(["one", "other", "month"], axis=1) for rows in pairs])
    seen = seen[seen["month"].between(*span(negotiation, None))]
    known = pd.concat(
        [
            seen[["one", "month"]].set_axis(["code", "month"], axis=1),
            seen[["other", "month"]].set_axis(["code", "month"], axis=1),
        ]
    )
    months = known.groupby("code")["month"].nunique()
    own = trade.partners[trade.partners["party"].isin(negotiation.parties)]
    own = own.assign(months=own["partner"].map(months).fillna(0))
    best = own.sort_values("months", ascending=False, kind="stable").drop_duplicates("party")
    return list(best["partner"])


def measure_stakes(
    negotiation: Negotiation, *, as_of: date | None = None, trade: Trade | None = None
) -> pd.DataFrame:
    """Return one row per issue about goods, importer, exporter and product group.

    Trade is that of the twelve months before the talks opened, and where only years are on record
    that of the year before; it is given only if all twelve are there. Months and years may both be
    there for an issue: they are of groups of different width. Where nothing is on record the row
    says so by its empty figures. Tariffs are means over lines, on the day the talks opened and on
    `as_of`.
    """
    trade = trade or read_trade()
    codes = choose_codes(trade, negotiation)
    party = trade.partners.set_index("partner")["party"][codes]
    flows = pd.concat(
        [
            sum_months(trade, months_before(negotiation.opened_on), span(negotiation, as_of)[1]),
            sum_year(trade, negotiation.opened_on.year - 1),
        ]
    )
    tariffs = mean_tariffs(trade, negotiation.opened_on, as_of or negotiation.ended_on)
    keys = ["importer", "exporter", "group_id"]
    known = flows.merge(tariffs, how="outer", on=keys, suffixes=("", "_of_tariff"))
    known = known[known["importer"].isin(codes) & known["exporter"].isin(codes)]
    known["source_id"] = known["source_id"].fillna(known["source_id_of_tariff"])
    listed = trade.issue_products[["issue_id", "group_id"]]
    listed = listed.assign(
        rank=range(len(listed)), order=listed["issue_id"].map(order(negotiation))
    )
    listed = listed[listed["order"].notna()]
    found = listed.merge(known, on="group_id")
    # Months before years, statistics by product (with duties) before totals, the best group first.
    found = found.sort_values(["is_total", "rank"], kind="stable", na_position="last")
    found["is_year"] = found["is_year"].astype("boolean")
    found = found.drop_duplicates(["issue_id", "importer", "exporter", "is_year"])
    traded = found[found["imports_mn"].notna()][["issue_id", "importer", "exporter"]]
    has_trade = found[["issue_id", "importer", "exporter"]].apply(tuple, axis=1)
    repeated = found["imports_mn"].isna() & has_trade.isin(traded.apply(tuple, axis=1))
    found = found[~repeated]
    many = trade.partners.loc[trade.partners["party"].duplicated(keep=False), "partner"]
    blocs = found["importer"].where(
        found["importer"].isin(many), found["exporter"].where(found["exporter"].isin(many), "")
    )
    found = found.assign(
        partner=blocs, importer=found["importer"].map(party), exporter=found["exporter"].map(party)
    )
    pairs = pd.DataFrame(permutations(negotiation.parties, 2), columns=["importer", "exporter"])
    every = listed[["issue_id", "order"]].drop_duplicates().merge(pairs, how="cross")
    rows = every.merge(found.drop(columns="order"), how="left")
    rows = rows.sort_values(["order", "importer", "exporter", "is_year"], kind="stable")
    return conform(rows, "issue_stakes")


def order(negotiation: Negotiation) -> dict[str, int]:
    """Return the place of each issue in the negotiation's list."""
    return {issue: number for number, issue in enumerate(negotiation.issues["issue_id"])}


def sum_months(trade: Trade, window: list[str], last: str) -> pd.DataFrame:
    """Return one row per importer, exporter and group that has every month of a window."""
    ours = trade.totals.assign(duties_mn=float("nan"), group_id=ALL_GOODS, is_total=True)
    bought = ours.rename(columns={"reporter": "importer", "partner": "exporter"})
    sold = ours.drop(columns="imports_mn").rename(
        columns={"reporter": "exporter", "partner": "importer", "exports_mn": "imports_mn"}
    )
    rows = pd.concat([trade.products.assign(is_total=False), bought, sold])
    rows = rows[rows["month"].isin(window if window[-1] <= last else [])]
    sums = sum_up(trade, rows, len(window))
    return sums.assign(is_year=False, from_month=window[0], to_month=window[-1])


def sum_year(trade: Trade, year: int) -> pd.DataFrame:
    """Return one row per importer, exporter and group that has a figure of a year."""
    rows = trade.annual[trade.annual["year"] == year].assign(is_total=False)
    sums = sum_up(trade, rows, 1)
    return sums.assign(is_year=True, from_month=f"{year}-01", to_month=f"{year}-12")


def sum_up(trade: Trade, rows: pd.DataFrame, count: int) -> pd.DataFrame:
    """Return one row per importer, exporter and group of which there are just so many rows."""
    keys = ["importer", "exporter", "group_id", "is_total"]
    groups = rows.groupby(keys)
    sums = groups.agg(
        imports_mn=("imports_mn", "sum"),
        source_id=("source_id", "last"),
        count=("source_id", "size"),
    )
    sums["duty_pct"] = 100 * groups["duties_mn"].sum(min_count=count) / sums["imports_mn"]
    sums["duty_pct"] = sums["duty_pct"].where(sums["imports_mn"] > 0).round(2)
    sums = sums[sums["count"] == count].round({"imports_mn": 1}).reset_index()
    return sums.assign(unit=sums["source_id"].map(trade.sources.set_index("source_id")["unit"]))


def mean_tariffs(trade: Trade, opened_on: date, day: date | None) -> pd.DataFrame:
    """Return one row per importer, exporter and group: its mean tariff at the opening and a day.

    A file says nothing of days after its vintage.
    """
    rows = trade.tariffs.sort_values("from_on")
    until = rows["source_id"].map(trade.sources.set_index("source_id")["vintage"])
    until = until.map(lambda vintage: pd.Period(vintage).end_time)
    keys = ["importer", "exporter", "group_id"]
    ends = {"tariff_start_pct": opened_on, "tariff_pct": day or opened_on}
    frames = [
        rows[(rows["from_on"] <= pd.Timestamp(on)) & (until >= pd.Timestamp(on))]
        .groupby(keys)
        .agg(**{column: ("tariff_pct", "last"), "source_id": ("source_id", "last")})
        for column, on in ends.items()
    ]
    start, now = frames
    return start.join(now[["tariff_pct"]]).reset_index()


def select_stakes(negotiation: Negotiation, *, as_of: date) -> pd.DataFrame:
    """Return the rows of stakes.csv that were known by a day.

    What was agreed is known from the issue's outcome on, whenever it takes effect; all else from
    its own first day. A row without a day was known.
    """
    stakes = negotiation.stakes.merge(
        negotiation.issues[["issue_id", "outcome_on"]], how="left", on="issue_id"
    )
    begins = pd.to_datetime(stakes["valid_from"].replace("", None), format="ISO8601")
    agreed = (stakes["kind"] == KNOWN_WHEN_AGREED) & stakes["outcome_on"].notna()
    known = begins.where(~agreed, stakes["outcome_on"])
    kept = stakes[known.isna() | (known <= pd.Timestamp(as_of))]
    return conform(kept, "stakes")
