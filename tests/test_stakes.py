"""What each gap is worth: trade with its source, unit and vintage, and no figure over a hole."""

from __future__ import annotations

import importlib.util
import re
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

import tradegap
from tradegap import charts, stakes, worth
from tradegap.charts import look
from tradegap.errors import DataError
from tradegap.record import Record
from tradegap.stakes import measure_stakes, read_trade, select_stakes, trace_balance
from tradegap.tables import conform, empty
from tradegap.talks import read_negotiation
from tradegap.verify import check_inputs

ROOT = Path(__file__).resolve().parents[1]
TRADE = ROOT / "data" / "trade"
MOST_BYTES = 25_000  # of a page, for what each gap is worth


@pytest.fixture(scope="module")
def trade():
    return read_trade()


def at_the_end(negotiation) -> Record:
    """Return a record without documents, in which every issue stood half open on the last day."""
    issues = negotiation.issues
    gaps = pd.DataFrame(
        {
            "issue_id": issues["issue_id"],
            "on": pd.Timestamp(negotiation.ended_on),
            "view": "then",
            "gap": 0.5,
            "gap_low": 0.3,
            "gap_high": 0.7,
            "status": issues["outcome"].where(issues["outcome"] != "", "negotiated"),
            "signals": 0,
        }
    )
    return Record(
        negotiation=negotiation,
        as_of=negotiation.ended_on,
        documents=empty("documents"),
        signals=empty("accepted_signals"),
        shown=empty("accepted_signals"),
        evidence=empty("evidence"),
        gaps=conform(gaps, "gaps"),
    )


@pytest.fixture(scope="module")
def shown():
    """Return, by negotiation, the panel and the chart or sentence of what its gaps are worth."""
    pages = {}
    for talks in ("us-japan-2019", "nafta-2017", "uk-india"):
        negotiation = read_negotiation(talks)
        record = at_the_end(negotiation)
        balance = tradegap.chart_balance(record)
        drawn = (
            balance.html
            if isinstance(balance, tradegap.Panel)
            else charts.figure(balance.to_dict())
        )
        pages[talks] = tradegap.list_stakes(record).html, drawn
    return pages


@pytest.fixture
def folder(tmp_path):
    """A copy of data/trade to break."""
    return Path(shutil.copytree(TRADE, tmp_path / "trade"))


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, old
    path.write_text(text.replace(old, new), encoding="utf-8")


def words(html: str) -> str:
    return " ".join(
        re.sub(r"<[^>]*>", " ", re.sub(r"<(?:br|td|th|li|p)\b[^>]*>", ". ", html)).split()
    )


# --- the data ------------------------------------------------------------------------------------


def test_the_trade_files_are_what_the_collection_gives(shared):
    spec = importlib.util.spec_from_file_location("collect", TRADE / "collect.py")
    collect = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(collect)

    made = collect.collect(shared / "data")

    assert {name: (TRADE / name).read_text(encoding="utf-8") for name in made} == made


def test_every_figure_has_a_source_with_unit_and_vintage_and_all_is_small(trade):
    used = pd.concat(
        [each["source_id"] for each in (trade.totals, trade.products, trade.annual, trade.tariffs)]
    )

    assert set(trade.sources["source_id"]) == set(used)
    assert sum(path.stat().st_size for path in TRADE.iterdir()) < 3_000_000


def find_oddities(trade) -> dict[str, object]:
    """Return what is odd about the data, each by name; the check fails when it gets better, too."""
    totals = trade.totals.set_index(["partner", "month"])
    months = trade.totals.groupby("partner")["month"].agg(["min", "max"]).apply(list, axis=1)
    turns = trade.totals.groupby("partner", group_keys=False).apply(
        lambda rows: rows[rows["source_id"] != rows["source_id"].shift()][1:]
    )
    industries = trade.products[trade.products["group_id"] == "naics-all"]
    european = industries[industries["exporter"] == "EU27"].set_index("month")["imports_mn"]
    both = trade.products[trade.products["group_id"].isin(["hs-all"])]
    both = both.set_index(["exporter", "month"])["imports_mn"] / totals["imports_mn"].rename_axis(
        ["exporter", "month"]
    )
    lines = trade.tariffs[trade.tariffs["group_id"] == "hs-all"].groupby("importer")["lines"]
    return {
        "the EU with the UK ends when the UK has left": months["EU28"],
        "the EU without the UK ends in 2023": months["EU27"],
        "Canada and Mexico end before the others": [months["CAN"][1], months["MEX"][1]],
        "Japan, China and Korea end in 2026": {months[each][1] for each in ("JPN", "CHN", "KOR")},
        "months that open a later vintage, or end what was subtracted": sorted(set(turns["month"])),
        "what the UK is of the EU's exports to the US, in per cent": round(
            100
            * (
                1
                - totals["imports_mn"]["EU27", "2019-12"] / totals["imports_mn"]["EU28", "2019-12"]
            )
        ),
        "the EU by industry does not break where the UK leaves its file": bool(
            0.85 < european["2018-01"] / european["2017-01"] < 1.15
        ),
        "imports for consumption as a share of general imports": [
            round(both.min(), 2),
            round(both.max(), 2),
        ],
        "American tariff lines in the mean": sorted(lines.unique()["USA"]),
        "Chinese tariff lines in the mean": sorted(lines.unique()["CHN"]),
        "the third list rises on the day for goods in transit": str(
            trade.tariffs.query("importer == 'USA' and group_id == 'hs-all'")["from_on"]
            .iloc[4]
            .date()
        ),
    }


def test_what_is_odd_about_the_data_is_listed_by_name_and_holds_exactly(trade):
    assert find_oddities(trade) == {
        "the EU with the UK ends when the UK has left": ["2012-01", "2019-12"],
        "the EU without the UK ends in 2023": ["2012-01", "2023-01"],
        "Canada and Mexico end before the others": ["2025-11", "2025-11"],
        "Japan, China and Korea end in 2026": {"2026-04"},
        "months that open a later vintage, or end what was subtracted": [
            *("2020-01", "2023-01", "2025-12"),
        ],
        "what the UK is of the EU's exports to the US, in per cent": 13,
        "the EU by industry does not break where the UK leaves its file": True,
        "imports for consumption as a share of general imports": [0.93, 1.1],
        "American tariff lines in the mean": [5076, 5114],
        "Chinese tariff lines in the mean": [5383, 5387],
        "the third list rises on the day for goods in transit": "2019-06-01",
    }


# --- bad input -----------------------------------------------------------------------------------


def test_a_month_that_is_missing_is_refused_by_name(folder):
    path = folder / "totals_monthly.csv"
    kept = [line for line in path.read_text().splitlines() if "USA,JPN,2018-09" not in line]
    path.write_text("\n".join(kept) + "\n")

    with pytest.raises(DataError, match=r"totals_monthly\.csv: USA JPN: no row for 2018-09; add"):
        read_trade(folder)


def test_a_file_whose_unit_changed_is_refused_though_its_source_does_not_say_so(folder):
    path = folder / "products_monthly.csv"
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("USA,JPN,hs-vehicles,2019-"):
            cells = line.split(",")
            cells[4] = str(float(cells[4]) * 1000)
            lines[number] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")

    with pytest.raises(DataError, match=r"USA JPN hs-vehicles: .* 2019-01; did the unit change\?"):
        read_trade(folder)


def test_a_series_in_two_currencies_is_refused_by_name(folder):
    old = "(data service of the Bureau),US Census Bureau,USD m"
    edit(folder / "sources.csv", old, old.replace("USD", "EUR"))

    with pytest.raises(DataError, match="USA JPN: 2023-01 is in EUR m, the month before in USD m"):
        read_trade(folder)


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("issue_products.csv", "autos,hs-vehicles", "cars,hs-vehicles", "'issue_id' found 'cars'"),
        ("issue_products.csv", "autos,hs-vehicles", "autos,hs-99", "'group_id' found 'hs-99'"),
        ("partners.csv", "JPN,Japan,", "JPN,Nippon,", "column 'party' found 'Nippon'"),
        ("tariffs.csv", "CHN,USA,hs-food", "CHN,USA,hs-fod", "'group_id' found 'hs-fod'"),
        ("totals_monthly.csv", "USA,JPN,2018-09", "USA,JPN,2018-13", "found '2018-13'"),
        ("totals_monthly.csv", "USA,JPN,2018-09", "USA,JPM,2018-09", "'partner' found 'JPM'"),
        ("products_annual.csv", "japan-customs-2026", "japan", "'source_id' found 'japan'"),
    ],
)
def test_what_no_list_knows_is_refused_with_its_row(folder, name, old, new, said):
    edit(folder / name, old, new)

    with pytest.raises(DataError) as refused:
        read_trade(folder)

    assert any(name in fault and said in fault for fault in refused.value.faults)


def test_a_product_group_without_trade_is_refused_by_name(folder):
    edit(folder / "product_groups.csv", "hs-chips,", "hs-03,Fish,HS,03,\nhs-chips,")
    edit(folder / "issue_products.csv", "fisheries,,03", "fisheries,hs-03,03")

    with pytest.raises(DataError, match="no trade of the group 'hs-03' is in products_monthly"):
        read_trade(folder)


def test_check_names_the_faults_of_the_trade_files(tmp_path, monkeypatch):
    shutil.copytree(TRADE, tmp_path / "data" / "trade")
    for name in ("issues.csv", "parties.csv"):
        shutil.copy(ROOT / "data" / name, tmp_path / "data")
    (tmp_path / "data" / "talks").mkdir()
    edit(tmp_path / "data/trade/issue_products.csv", "autos,hs-vehicles", "cars,hs-vehicles")
    monkeypatch.setenv("TRADEGAP_ROOT", str(tmp_path))

    faults = check_inputs(tmp_path)

    assert [fault for fault in faults if "trade" in fault] == [
        "data/trade/issue_products.csv:row 11: column 'issue_id' found 'cars'; it takes a code of"
        " issues.csv"
    ]


# --- what an issue is worth ----------------------------------------------------------------------


def test_what_an_issue_is_worth_is_the_sum_of_the_twelve_months_before(trade):
    talks = read_negotiation("us-japan-2019")
    own = trade.products.query("exporter == 'JPN' and group_id == 'hs-vehicles'")
    own = own[own["month"].between("2017-08", "2018-07")]

    rows = measure_stakes(talks, as_of=date(2019, 8, 22), trade=trade)

    row = rows.query("issue_id == 'autos' and group_id == 'hs-vehicles'").iloc[0]
    assert len(own) == 12
    assert (row["from_month"], row["to_month"], row["unit"]) == ("2017-08", "2018-07", "USD m")
    assert row["imports_mn"] == pytest.approx(own["imports_mn"].sum())
    assert row["duty_pct"] == pytest.approx(
        100 * own["duties_mn"].sum() / row["imports_mn"], abs=0.01
    )


def test_no_sum_is_given_over_months_that_are_not_all_there(trade):
    rows = measure_stakes(read_negotiation("ttip-2013"), trade=trade)

    # By product the file begins too late for these talks; the totals of all goods do not.
    assert rows.loc[rows["issue_id"] == "agriculture", "imports_mn"].isna().all()
    assert rows.loc[rows["issue_id"] == "overall", "imports_mn"].notna().all()


@pytest.mark.parametrize(("talks", "code"), [("ttip-2013", "EU28"), ("us-eu-2018", "EU27")])
def test_one_negotiation_is_told_in_one_membership_of_the_eu(trade, talks, code):
    negotiation = read_negotiation(talks)

    rows = measure_stakes(negotiation, trade=trade)
    balance = trace_balance(negotiation, trade=trade)

    assert set(rows.loc[rows["imports_mn"].notna(), "partner"]) == {code}
    assert set(balance["partner"]) == {code}


def test_a_tariff_file_says_nothing_of_years_after_its_vintage(trade):
    old, new = (
        measure_stakes(read_negotiation(talks), trade=trade)
        for talks in ("us-china-2018", "us-china-2025")
    )

    assert old["tariff_start_pct"].notna().any()
    assert new[["tariff_start_pct", "tariff_pct"]].isna().all(axis=None)


def test_nothing_that_came_out_later_is_used(trade):
    talks = read_negotiation("us-japan-2019")

    balance = trace_balance(talks, as_of=date(2019, 8, 22), trade=trade)
    named = select_stakes(talks, as_of=date(2019, 8, 22))

    assert balance["month"].max() == "2019-06"
    assert not named["kind"].eq("tariff agreed").any()
    assert "s13" in set(select_stakes(talks, as_of=date(2020, 1, 1))["stake_id"])


def test_the_balance_is_exports_less_imports_and_three_parties_have_a_row_a_pair(trade):
    balance = trace_balance(read_negotiation("nafta-2017"), trade=trade)

    assert set(balance["partner"]) == {"CAN", "MEX"}
    assert (
        balance["exports_mn"] - balance["imports_mn"] - balance["balance_mn"]
    ).abs().max() < 0.06


def test_the_statistics_that_went_in_are_not_changed(trade):
    before = {name: getattr(trade, name).copy() for name in stakes.TABLES}

    measure_stakes(read_negotiation("us-china-2018"), trade=trade)
    trace_balance(read_negotiation("us-china-2018"), trade=trade)

    for name, frame in before.items():
        pd.testing.assert_frame_equal(getattr(trade, name), frame)


# --- the page ------------------------------------------------------------------------------------


def test_a_page_says_beside_each_gap_what_it_is_worth(shown):
    listed, _ = shown["us-japan-2019"]

    row = words(re.search(r"<tr><th scope=\"row\">Autos.*?</tr>", listed, flags=re.S)[0])
    assert "deferred" in row
    assert "USD 53.3 bn Japan to US: vehicles and their parts (HS 87)" in row
    assert "duties paid 2.42 %" in row
    assert "2.5 % Passenger cars" in row
    assert "asked: 0 %" in row


def test_the_balance_marks_its_dates_and_says_that_the_one_does_not_cause_the_other(shown):
    _, drawn = shown["us-japan-2019"]

    for word in ("announced, 25 Aug 2019", "signed, 7 Oct 2019", "in force, 1 Jan 2020"):
        assert f">{word}<" in drawn
    assert worth.NO_CAUSE in drawn


def test_parties_without_statistics_are_told_plainly_and_nothing_is_drawn(shown):
    listed, drawn = shown["uk-india"]

    assert "No statistics of the trade between India and the UK are on record here" in listed
    assert "No trade balance is drawn." in drawn
    assert "<svg" not in drawn


def test_a_pair_without_statistics_among_three_parties_is_named(shown):
    assert "No trade between Canada and Mexico is on record here." in shown["nafta-2017"][0]


def test_what_a_gap_is_worth_stays_small(shown):
    sizes = {talks: sum(len(each.encode()) for each in pieces) for talks, pieces in shown.items()}

    assert max(sizes.values()) <= MOST_BYTES, sizes


def test_trade_and_the_negotiating_gap_are_never_confused_in_words(shown):
    for pieces in shown.values():
        text = words(" ".join(pieces))
        assert "gap" in text
        assert re.findall(r"(?<!negotiating )\bgaps?\b", text, flags=re.I) == []
        assert not re.search(
            r"\b(narrow|widen|clos)\w*[^.]*\b(balance|deficit|surplus)", text, flags=re.I
        )
        assert not re.search(r"\btrade gap", text, flags=re.I)


def test_trade_and_the_negotiating_gap_are_never_confused_in_colours(shown):
    _, drawn = shown["us-japan-2019"]
    of_gap = {*charts.COLOURS.values(), *charts.STEPS}
    names = {look.PROPERTIES[colour] for colour in of_gap}

    assert worth.TRADE not in look.PROPERTIES
    assert worth.TRADE in drawn
    assert not any(colour in drawn for colour in of_gap)
    assert not any(f"var(--{name}," in drawn for name in names)


@pytest.mark.parametrize("paper", ["#fdfcfa", "#15181c"])
def test_the_colour_of_trade_stands_out_on_light_and_dark_pages(paper):
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [
            part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
        ]
        return sum(
            share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True)
        )

    near, far = sorted([light(paper), light(worth.TRADE)], reverse=True)

    assert (near + 0.05) / (far + 0.05) >= 3
    assert paper in (ROOT / "toolkit/tradegap/template/page.css").read_text(encoding="utf-8")
