"""Beside the flow: makes the files of this folder anew from the collection that they were cut from.

    python data/trade/collect.py ../shared/data

The collection lies beside the repository and is not part of it; its PROVENANCE.md says where each
file was found. Nothing runs this but a person who has a new collection, and a test that holds what
is here to it. Faults of the data that are known are mended here, each at the line that says so.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

HERE = Path(__file__).parent
FIRST = "2012-01"  # of the monthly totals: a year before the earliest talks that have any
PARTNERS = {name: name for name in ("JPN", "CHN", "KOR", "CAN", "MEX")}
VINTAGES = {
    "census_country_xlsx": "census-totals-2023-03",
    "census_api_sitc_via_meteoconomics": "census-totals-2026-02",
    "census_balance_page_via_weiqi": "census-totals-2026-06",
    "derived_census_country_xlsx(EU minus UK before 2020-01)": "census-totals-2023-03-less-uk",
}
# What the groups of the collection are called here; groups that no issue is about are left out.
CHAPTERS = {
    "TOTAL": "hs-all",
    "agriculture_food_HS01_24": "hs-food",
    "vehicles_parts_HS87": "hs-vehicles",
    "iron_steel_HS72_73": "hs-metals",
    "aluminum_HS76": "hs-metals",
    "chemicals_pharma_HS28_38": "hs-goods",
    "plastics_rubber_HS39_40": "hs-goods",
    "textiles_apparel_footwear_HS50_67": "hs-goods",
    "machinery_HS84": "hs-goods",
    "electrical_HS85": "hs-goods",
    "aircraft_HS88": "hs-goods",
    "instruments_HS90": "hs-goods",
}
INDUSTRIES = {"00": "naics-all", "336": "naics-transport", "331": "naics-metals"} | {
    code: group
    for group, codes in {
        "naics-food": "111 112 311 312",
        "naics-goods": "313 314 315 316 325 326 327 332 333 334 335 337 339",
    }.items()
    for code in codes.split()
}
# Of the Japanese customs: (flow as Japan sees it, name in its tables). Names in brackets are part
# of the line above them there, so no two of these are added up.
JAPANESE = {
    ("export", "(Car)"): "jp-cars",
    ("export", "Parts Of Motor Vehicles"): "jp-parts",
    ("import", "Foodstuff"): "jp-food",
}
HEADINGS = {"8703": "hs-8703", "8708": "hs-8708", "8541": "hs-chips", "8542": "hs-chips"}
LISTED = {"hs-food": (1, 24), "hs-vehicles": (87, 87)}  # chapters of the groups in tariffs.csv


def monthly(folder: Path) -> pd.DataFrame:
    """Return one row per partner and month: all goods, both ways."""
    rows = pd.read_csv(folder / "us_goods_monthly.csv")
    # The series of the EU as published loses the UK in January 2020: two series, none broken.
    bloc = {"EU_as_published": "EU28", "EU27": "EU27"}
    rows["partner"] = rows["partner"].map(PARTNERS | bloc)
    rows = rows[rows["partner"].notna() & (rows["month"] >= FIRST)]
    rows = rows[~((rows["partner"] == "EU28") & (rows["month"] > "2019-12"))]
    # From January 2020 on nothing was subtracted.
    as_published = (rows["partner"] == "EU27") & (rows["month"] > "2019-12")
    source = rows["source"].map(VINTAGES).where(~as_published, "census-totals-2023-03")
    return rows.assign(
        reporter="USA",
        exports_mn=rows["exports_musd"].round(1),
        imports_mn=rows["imports_musd"].round(1),
        source_id=source,
    )[["reporter", "partner", "month", "exports_mn", "imports_mn", "source_id"]]


def products(folder: Path) -> pd.DataFrame:
    """Return one row per partner, product group and month: imports for consumption, and duties."""
    chapters = pd.read_csv(folder / "us_imports_by_group_monthly_2013_2021.csv")
    chapters["group_id"] = chapters["group"].map(CHAPTERS)
    chapters = chapters[chapters["partner"].isin(list(PARTNERS))]
    chapters = chapters[chapters["month"].between("2016-01", "2020-12")]
    chapters = chapters.assign(source_id="census-chapters-2021")
    industries = pd.read_csv(
        folder / "us_imports_naics3_monthly_2013_2025.csv", dtype={"naics3": str}
    )
    industries["group_id"] = industries["naics3"].map(INDUSTRIES)
    industries = industries[industries["month"] >= "2017-01"]
    kept = industries[industries["partner"].isin(["JPN", "CHN", "EU"])]
    kept = kept.replace({"partner": {"EU": "EU27"}}).assign(source_id="census-industries-2026")
    # The file's EU has the UK in it until December 2017 and no longer: taken out before, too.
    old = kept["month"] < "2018-01"
    kept.loc[old & (kept["partner"] == "EU27"), "source_id"] = "census-industries-2026-less-uk"
    british = industries[(industries["partner"] == "GBR") & (industries["month"] < "2018-01")]
    british = british.assign(
        partner="EU27",
        source_id="census-industries-2026-less-uk",
        imports_consumption_usd=-british["imports_consumption_usd"],
        calc_duty_usd=-british["calc_duty_usd"],
    )
    rows = pd.concat([chapters, kept, british])
    rows = rows[rows["group_id"].notna()]
    sums = rows.groupby(["partner", "group_id", "month", "source_id"], as_index=False)[
        ["imports_consumption_usd", "calc_duty_usd"]
    ].sum()
    return sums.assign(
        importer="USA",
        exporter=sums["partner"],
        imports_mn=(sums["imports_consumption_usd"] / 1e6).round(1),
        duties_mn=(sums["calc_duty_usd"] / 1e6).round(2),
    )[["importer", "exporter", "group_id", "month", "imports_mn", "duties_mn", "source_id"]]


def years(folder: Path) -> pd.DataFrame:
    """Return one row per product group and year, where no months are to be had."""
    rows = pd.read_csv(folder / "japan_mof_trade_by_product_annual_2009_2026.csv")
    keys = zip(rows["flow_from_japan_view"], rows["goods"], strict=True)
    rows["group_id"] = [JAPANESE.get(key, "") for key in keys]
    rows = rows[(rows["group_id"] != "") & (rows["partner_of_japan"] == "USA")]
    rows = rows[rows["year"].isin([2017, 2018, 2019, 2024])]
    is_import = rows["flow_from_japan_view"] == "import"
    japanese = pd.DataFrame(
        {
            "importer": is_import.map({True: "JPN", False: "USA"}),
            "exporter": is_import.map({True: "USA", False: "JPN"}),
            "group_id": rows["group_id"],
            "year": rows["year"],
            "imports_mn": (rows["value_bn_jpy"] * 1000).round(0),
            "duties_mn": None,
            "source_id": "japan-customs-2026",
        }
    )
    lines = pd.read_csv(folder / "us_imports_from_japan_hs4_2024.csv", dtype={"hs4": str})
    lines["group_id"] = lines["hs4"].map(HEADINGS)
    lines = lines[lines["group_id"].notna()].groupby("group_id", as_index=False).sum()
    american = pd.DataFrame(
        {
            "importer": "USA",
            "exporter": "JPN",
            "group_id": lines["group_id"],
            "year": 2024,
            "imports_mn": (lines["imports_usd"] / 1e6).round(1),
            "duties_mn": (lines["duty_usd"] / 1e6).round(2),
            "source_id": "census-headings-2024",
        }
    )
    return pd.concat([japanese, american])


def tariffs(folder: Path) -> pd.DataFrame:
    """Return one row per product group and day from which its mean tariff applied."""
    frames = []
    for importer, exporter, name in (
        ("USA", "CHN", "us_tariffs_on_china_hs6_2018_2020.csv"),
        ("CHN", "USA", "china_tariffs_on_us_hs6_2018_2020.csv"),
    ):
        rows = pd.read_csv(folder / name, dtype={"hs6": str})
        # Lines without a rate (38 American, 16 Chinese) are left out of the mean.
        rows = rows[rows["tariff"].notna()]
        chapter = rows["hs6"].str[:2].astype(int)
        whole = [("hs-all", rows)]
        groups = [(group, rows[chapter.between(*ends)]) for group, ends in LISTED.items()]
        for group, own in [*whole, *groups]:
            means = own.groupby("time_of_tariff")["tariff"].agg(["mean", "size"]).reset_index()
            means = means[means["mean"].round(2).diff().fillna(1) != 0]
            frames.append(
                pd.DataFrame(
                    {
                        "importer": importer,
                        "exporter": exporter,
                        "group_id": group,
                        "from_on": means["time_of_tariff"],
                        "tariff_pct": means["mean"].round(2),
                        "lines": means["size"],
                        "source_id": "waugh-tariffs-2020",
                    }
                )
            )
    return pd.concat(frames)


FILES = {
    "totals_monthly.csv": (monthly, 3),
    "products_monthly.csv": (products, 4),
    "products_annual.csv": (years, 4),
    "tariffs.csv": (tariffs, 4),
}


def collect(folder: Path) -> dict[str, str]:
    """Return the text of each file that is cut from the collection, by its name."""
    texts = {}
    for name, (make, keys) in FILES.items():
        rows = make(folder)
        rows = rows.sort_values(list(rows.columns[:keys]), kind="stable")
        texts[name] = rows.to_csv(index=False, lineterminator="\n")
    return texts


if __name__ == "__main__":
    for name, text in collect(Path(sys.argv[1])).items():
        (HERE / name).write_text(text, encoding="utf-8")
