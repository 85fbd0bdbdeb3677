"""Outside the flow: trade statistics from three public services, into the files of data/trade.

The US Census Bureau (monthly goods trade by partner, and by chapter with duties), UN Comtrade
(monthly totals of any reporter) and Eurostat (monthly totals of the EU), each by its documented
address. What comes is put beside what is there, in a copy; only if the whole of it stands are the
files replaced.
"""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import permutations
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pandas as pd

from tradegap.documents.store import put
from tradegap.errors import DataError, FetchError
from tradegap.fetch.web import Service, as_json, connect
from tradegap.project import project_root
from tradegap.stakes import FOLDER, Trade, list_months, months_before, read_trade
from tradegap.talks import Negotiation, read_negotiation

__all__ = ["SOURCES", "fetch_trade"]

Rows = list[dict[str, Any]]
CHUNK = 12  # months that Comtrade is asked for at once


@dataclass(frozen=True)
class Source:
    """One service: where it is, what it tells, and how its answers are read.

    `ask` takes the service, the statistics on record, reporter and partner and the months; it
    returns rows of totals, rows of product groups and the raw answers.
    """

    base: str
    key_variable: str
    code: str  # column of partners.csv
    publisher: str
    title: str
    unit: str
    basis: str
    licence: str
    ask: Callable[[Service, Trade, str, str, list[str]], tuple[Rows, Rows, list[bytes]]]
    reporters: tuple[str, ...] = ()  # the only ones it has; any, where there are none


def fetch_trade(
    talks: str,
    source: str,
    *,
    first: str = "",
    last: str = "",
    base_url: str = "",
    service: Service | None = None,
    today: date | None = None,
) -> list[str]:
    """Fetch the trade between the parties of a negotiation into data/trade; say what came.

    From a year before the talks to their end (or last month), unless `first` and `last` (YYYY-MM)
    say otherwise. Raises FetchError, and changes nothing, where an answer does not stand.
    """
    kind, day = SOURCES[source], today or date.today()
    negotiation = read_negotiation(talks)
    trade = read_trade()
    months = choose_months(negotiation, first, last, day)
    service = service or connect(base_url or kind.base, kind.key_variable)
    totals, products, sources, told = [], [], [], []
    for reporter, partner in choose_pairs(trade, negotiation, kind, source):
        own, groups, answers = kind.ask(service, trade, reporter, partner, months)
        source_id = f"{source}-{day}-{reporter}-{partner}".lower()
        sources.append(describe(kind, source_id, day, answers))
        for row in own:
            row |= {"reporter": reporter, "partner": partner, "source_id": source_id}
        for row in groups:
            row |= {"importer": reporter, "exporter": partner, "source_id": source_id}
        totals += own
        products += groups
        span = f"{own[0]['month']} to {own[-1]['month']}"
        count = f"{len(own)} months" + f" of {len(months)} asked" * (len(own) < len(months))
        told.append(f"{source}: {reporter} with {partner}, {span}, {kind.unit}: {count}")
    store(trade, totals, products, sources)
    return told


def choose_months(negotiation: Negotiation, first: str, last: str, day: date) -> list[str]:
    """Return the months to ask for."""
    for name, month in (("--from", first), ("--to", last)):
        try:
            fits = not month or f"{pd.Period(month, freq='M')}" == month
        except ValueError:
            fits = False
        if not fits:
            raise FetchError(f"{name}: found '{month}'; it takes a month as YYYY-MM")
    first = first or months_before(negotiation.opened_on)[0]
    ended = negotiation.ended_on or day
    last = last or min(str(pd.Period(ended, freq="M")), str(pd.Period(day, freq="M") - 1))
    if first > last:
        raise FetchError(f"--from: {first} is after {last}; it takes a month before it")
    return list_months(first, last)


def choose_pairs(
    trade: Trade, negotiation: Negotiation, kind: Source, name: str
) -> list[tuple[str, str]]:
    """Return reporter and partner of each pair of parties that a service knows, each pair once."""
    known = trade.partners[trade.partners[kind.code] != ""]
    if kind.reporters:
        listed = pd.concat([known, trade.partners[trade.partners["partner"].isin(kind.reporters)]])
        known = listed.drop_duplicates("partner")
    codes = known.drop_duplicates("party").set_index("party")["partner"]
    pairs: dict[frozenset[str], tuple[str, str]] = {}
    # The reporter that is on record already stays the reporter.
    there = set(zip(trade.totals["reporter"], trade.totals["partner"], strict=True))
    for one, other in permutations([each for each in negotiation.parties if each in codes], 2):
        pair = codes[one], codes[other]
        if not kind.reporters or pair[0] in kind.reporters:
            key = frozenset(pair)
            if key not in pairs or pair in there:
                pairs[key] = pair
    if not pairs:
        parties = " and ".join(negotiation.parties)
        raise FetchError(
            f"{negotiation.slug}: {name} has no statistics of the trade between {parties}, as far"
            f" as {FOLDER}/partners.csv has their codes; try another --source"
        )
    return list(pairs.values())


def describe(kind: Source, source_id: str, day: date, answers: list[bytes]) -> dict[str, Any]:
    """Return the row of sources.csv for what came: its vintage is the day."""
    hashes = [hashlib.sha256(raw).hexdigest() for raw in answers]
    return {
        "source_id": source_id,
        "title": kind.title,
        "publisher": kind.publisher,
        "unit": kind.unit,
        "basis": kind.basis,
        "vintage": str(day),
        "collected_on": str(day),
        "source_url": kind.base,
        "licence": kind.licence,
        "sha256": ";".join(hashes),
        "note": "Fetched by `tradegap fetch trade`.",
    }


def store(trade: Trade, totals: Rows, products: Rows, sources: Rows) -> None:
    """Put rows beside those of data/trade, in a copy; replace the files if the whole stands."""
    folder = project_root() / FOLDER
    new = {
        "totals_monthly.csv": lay_over(trade.totals, totals, ["reporter", "partner", "month"]),
        "products_monthly.csv": lay_over(
            trade.products, products, ["importer", "exporter", "group_id", "month"]
        ),
    }
    used = pd.concat([rows["source_id"] for rows in (*new.values(), trade.annual, trade.tariffs)])
    listed = lay_over(trade.sources, sources, ["source_id"], keep_order=True)
    # A source of which nothing is left goes.
    kept = listed[listed["source_id"].isin(used)]
    with TemporaryDirectory() as scratch:
        copy = Path(shutil.copytree(folder, Path(scratch) / "trade"))
        for name, rows in {**new, "sources.csv": kept}.items():
            (copy / name).write_text(write(rows), encoding="utf-8")
        try:
            read_trade(copy)
        except DataError as error:
            faults = [fault.replace(f"{copy}/", "") for fault in error.faults]
            raise FetchError(
                [f"{fault} (fetched; nothing was changed)" for fault in faults]
            ) from None
    # A row never stands without its source: new sources come first, old ones go last.
    put(folder / "sources.csv", write(listed).encode())
    for name, rows in new.items():
        put(folder / name, write(rows).encode())
    put(folder / "sources.csv", write(kept).encode())


def lay_over(
    rows: pd.DataFrame, newer: Rows, key: list[str], *, keep_order: bool = False
) -> pd.DataFrame:
    """Return rows with newer ones in place of those of the same key."""
    if not newer:
        return rows
    both = pd.concat([rows, pd.DataFrame(newer).reindex(columns=rows.columns)])
    both = both.drop_duplicates(key, keep="last")
    return both if keep_order else both.sort_values(key, kind="stable")


def write(rows: pd.DataFrame) -> str:
    """Return rows as the CSV of data/trade."""
    return str(rows.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d"))


def ask_census(
    service: Service, trade: Trade, reporter: str, partner: str, months: list[str]
) -> tuple[Rows, Rows, list[bytes]]:
    """Ask the Census Bureau's international trade service: exports, imports, imports by chapter."""
    code = trade.partners.set_index("partner")["census_code"][partner]
    asked = {"CTY_CODE": code, "time": f"from {months[0]} to {months[-1]}"}
    asked |= {"key": service.key} if service.key else {}
    answers = []
    flows = {}
    for path, column in (("exports", "ALL_VAL_MO"), ("imports", "GEN_VAL_MO")):
        raw = service.get(f"/{path}/hs", {"get": column, **asked})
        answers.append(raw)
        flows[path] = {
            row["time"]: millions(row[column], service)
            for row in read_census(raw, service, [column, "time"], months)
        }
    totals = pair_flows(service, flows["exports"], flows["imports"], months)
    columns = ["I_COMMODITY", "CON_VAL_MO", "CAL_DUT_MO", "time"]
    raw = service.get("/imports/hs", {"get": ",".join(columns[:3]), "COMM_LVL": "HS2", **asked})
    answers.append(raw)
    sums: dict[tuple[str, str], list[float]] = {}
    chapters = chapters_of(trade)
    for row in read_census(raw, service, columns, months):
        for group in chapters.get(row["I_COMMODITY"], []):
            own = sums.setdefault((group, row["time"]), [0.0, 0.0])
            own[0] += millions(row["CON_VAL_MO"], service)
            own[1] += millions(row["CAL_DUT_MO"], service)
    products = [
        {"group_id": group, "month": month, "imports_mn": round(a, 1), "duties_mn": round(b, 2)}
        for (group, month), (a, b) in sorted(sums.items())
    ]
    return totals, products, answers


def chapters_of(trade: Trade) -> dict[str, list[str]]:
    """Return the product groups that each chapter of the Harmonized System goes into."""
    chapters: dict[str, list[str]] = {}
    for row in trade.groups[trade.groups["classification"] == "HS"].itertuples():
        runs = [run.partition("-") for run in str(row.codes).split(";")]
        if all(len(first) == 2 for first, _, _ in runs):
            for first, _, last in runs:
                for number in range(int(first), int(last or first) + 1):
                    chapters.setdefault(f"{number:02d}", []).append(str(row.group_id))
    return chapters


def read_census(
    raw: bytes, service: Service, columns: list[str], months: list[str]
) -> Iterator[dict[str, str]]:
    """Yield the rows of a table of lists whose first is the header, within the months."""
    table = as_json(raw, service)
    header = table[0] if isinstance(table, list) and table else None
    if not isinstance(header, list) or not set(columns) <= set(map(str, header)):
        raise changed(service, f"the columns {header}", columns)
    for row in table[1:]:
        if not isinstance(row, list) or len(row) != len(header):
            raise changed(service, f"the row {row}", columns)
        cells = dict(zip(header, row, strict=True))
        if cells["time"] in months:
            yield cells


def ask_comtrade(
    service: Service, trade: Trade, reporter: str, partner: str, months: list[str]
) -> tuple[Rows, Rows, list[bytes]]:
    """Ask UN Comtrade: monthly totals, by its keyed address or, without a key, by its preview."""
    codes = trade.partners.set_index("partner")["comtrade_code"]
    path = "/data/v1/get/C/M/HS" if service.key else "/public/v1/preview/C/M/HS"
    headers = {"Ocp-Apim-Subscription-Key": service.key} if service.key else {}
    flows: dict[str, dict[str, float]] = {"X": {}, "M": {}}
    answers = []
    for start in range(0, len(months), CHUNK):
        periods = [month.replace("-", "") for month in months[start : start + CHUNK]]
        query = {
            "reporterCode": codes[reporter],
            "partnerCode": codes[partner],
            "period": ",".join(periods),
            "flowCode": "X,M",
            "cmdCode": "TOTAL",
            "partner2Code": "0",
            "customsCode": "C00",
            "motCode": "0",
        }
        raw = service.get(path, query, headers)
        answers.append(raw)
        answer = as_json(raw, service)
        rows = answer.get("data") if isinstance(answer, dict) else None
        if isinstance(answer, dict) and answer.get("error"):
            raise FetchError(f"{service.host}: says {service.cut(str(answer['error']))}")
        if not isinstance(rows, list):
            raise changed(service, f"{service.cut(str(answer))}", ["data"])
        for row in rows:
            try:
                flow, period, value = row["flowCode"], str(row["period"]), row["primaryValue"]
            except (KeyError, TypeError):
                found = sorted(row) if isinstance(row, dict) else row
                raise changed(
                    service, f"a row of {found}", ["flowCode", "period", "primaryValue"]
                ) from None
            month = f"{period[:4]}-{period[4:]}"
            if flow in flows and month in months:
                if month in flows[flow]:
                    raise changed(service, f"{flow} of {month} twice", ["one total a month"])
                flows[flow][month] = millions(value, service)
    return pair_flows(service, flows["X"], flows["M"], months), [], answers


def ask_eurostat(
    service: Service, trade: Trade, reporter: str, partner: str, months: list[str]
) -> tuple[Rows, Rows, list[bytes]]:
    """Ask Eurostat's dissemination service: the EU's monthly totals, in million euro."""
    codes = trade.partners.set_index("partner")["eurostat_code"]
    flows: dict[str, dict[str, float]] = {}
    answers = []
    for flow in ("EXP", "IMP"):
        query = {
            "format": "JSON",
            "lang": "EN",
            "freq": "M",
            "indic_et": "TRD_VAL",
            "sitc06": "TOTAL",
            "stk_flow": flow,
            "partner": codes[partner],
            "geo": codes[reporter],
            "sinceTimePeriod": months[0],
            "untilTimePeriod": months[-1],
        }
        raw = service.get("/statistics/1.0/data/ext_st_eu27_2020sitc", query)
        answers.append(raw)
        flows[flow] = read_cube(as_json(raw, service), service, months)
    return pair_flows(service, flows["EXP"], flows["IMP"], months), [], answers


def read_cube(cube: Any, service: Service, months: list[str]) -> dict[str, float]:
    """Return the figures by month of a JSON-stat cube whose other dimensions have one value."""
    try:
        sizes = dict(zip(cube["id"], cube["size"], strict=True))
        places = cube["dimension"]["time"]["category"]["index"]
        values = cube["value"]
        if isinstance(values, list):
            values = {str(number): each for number, each in enumerate(values)}
        if any(size != 1 for name, size in sizes.items() if name != "time"):
            raise changed(service, f"the dimensions {sizes}", ["one value of all but time"])
        found = {month: values.get(str(place)) for month, place in places.items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise changed(
            service, service.cut(str(cube)), ["id", "size", "dimension", "value"]
        ) from None
    return {
        month: as_number(value, service)
        for month, value in found.items()
        if month in months and value is not None
    }


def pair_flows(
    service: Service, exports: dict[str, float], imports: dict[str, float], months: list[str]
) -> Rows:
    """Return one row per month; one with exports or imports alone is a fault."""
    if lone := sorted(set(exports) ^ set(imports)):
        raise FetchError(
            f"{service.host}: has only exports or only imports of {', '.join(lone[:6])}; ask for"
            " months before them with --to, or try again later"
        )
    if not exports:
        raise FetchError(
            f"{service.host}: has nothing from {months[0]} to {months[-1]}; check --from and --to"
        )
    return [
        {"month": month, "exports_mn": round(exports[month], 1), "imports_mn": round(value, 1)}
        for month, value in sorted(imports.items())
    ]


def millions(value: Any, service: Service) -> float:
    """Return a whole amount in millions."""
    return as_number(value, service) / 1e6


def as_number(value: Any, service: Service) -> float:
    """Return a figure of an answer that is one."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if isinstance(value, bool) or not math.isfinite(number) or number < 0:
        raise changed(service, f"the figure {service.cut(str(value))}", ["a number, not negative"])
    return number


def changed(service: Service, found: str, takes: list[str]) -> FetchError:
    """Return the error of an answer in a form that is not the documented one."""
    return FetchError(
        f"{service.host}: found {found[:200]}; it takes {', '.join(takes)}. The service's form may"
        " have changed; nothing was taken"
    )


US_GOV, GENERAL = "public domain in the United States", "general imports at customs value"
SOURCES = {
    "census": Source(
        base="https://api.census.gov/data/timeseries/intltrade",
        key_variable="TRADEGAP_CENSUS_KEY",
        code="census_code",
        publisher="US Census Bureau",
        title="International trade: monthly exports and imports by partner and chapter",
        unit="USD m",
        basis=f"{GENERAL}, exports free alongside ship; by product imports for consumption",
        licence=US_GOV,
        ask=ask_census,
        reporters=("USA",),
    ),
    "comtrade": Source(
        base="https://comtradeapi.un.org",
        key_variable="TRADEGAP_COMTRADE_KEY",
        code="comtrade_code",
        publisher="UN Comtrade",
        title="Monthly trade in goods by reporter and partner",
        unit="USD m",
        basis="as the reporter counts it; mostly imports with insurance and freight",
        licence="terms of use of UN Comtrade",
        ask=ask_comtrade,
    ),
    "eurostat": Source(
        base="https://ec.europa.eu/eurostat/api/dissemination",
        key_variable="",
        code="eurostat_code",
        publisher="Eurostat",
        title="EU trade by partner, monthly (ext_st_eu27_2020sitc)",
        unit="EUR m",
        basis="imports with insurance and freight, exports free on board, not seasonally adjusted",
        licence="Eurostat, reuse with source",
        ask=ask_eurostat,
        reporters=("EU27",),
    ),
}
