"""What lies around the pages: the home page, the feed, the data package, the picture of a page."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from tradegap import browser as chromium
from tradegap.errors import DataError
from tradegap.provenance import hash_file
from tradegap.reading import read_reading
from tradegap.site import Listed, build_site, draw_reading
from tradegap.specs import Spec, read_specs
from tradegap.standalone import LIMIT_BYTES, join_parts, named, write_standalone
from tradegap.tables import Field, Table, find_table, read_table

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "reports"
ATOM = "{http://www.w3.org/2005/Atom}"
GAPS = "issue_id,on,view,gap,gap_low,gap_high,status,signals\n"


@pytest.fixture(scope="module")
def pages():
    return [spec for spec in read_specs(ROOT) if (REPORTS / f"{spec.page}.html").is_file()]


@pytest.fixture(scope="module")
def home() -> str:
    return (REPORTS / "index.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def feed():
    return etree.parse(REPORTS / "feed.xml").getroot()


def gaps(*values: float) -> str:
    rows = [
        f"overall,2019-01-{n:02},then,{v},0.1,0.9,negotiated,1" for n, v in enumerate(values, 1)
    ]
    return GAPS + "\n".join([*rows, "autos,2019-02-01,then,0.2,0.1,0.9,agreed,1"]) + "\n"


def test_the_latest_reading_is_that_of_the_last_day_with_its_band():
    reading = read_reading(gaps(0.9, 0.5))

    assert reading["table"] == "gaps"
    assert (reading["on"], reading["value"]) == ("2019-01-02", [0.5, 0.1, 0.9])
    assert reading["issues"] == ["autos"]


def test_a_change_is_told_when_a_reading_has_moved_and_drift_adds_up():
    reading = read_reading(gaps(0.9, 0.88, 0.86, 0.84, 0.9))

    assert reading["moves"] == ["2019-01-04 0.9 0.84 0.1 0.9", "2019-01-05 0.84 0.9 0.1 0.9"]


def test_a_reading_of_several_negotiations_is_a_line_for_each(monkeypatch):
    fields = tuple(Field(name, "string", "x") for name in ("talks", "share", "gap"))
    how = {"title": "Course", "group": "talks", "along": "share", "value": "gap"}
    table = Table("course", "One row", "", (), fields, {}, how)
    monkeypatch.setattr("tradegap.tables.declared_tables", lambda: {"course": table})

    monkeypatch.setattr("tradegap.site.declared_tables", lambda: {"course": table})
    reading = read_reading("talks,share,gap\na-b,1,0.2\na-b,0,0.9\nc-d,0,0.8\nc-d,1,0.5\n")
    page = Listed(Spec("a/b", Path("a.ipynb"), "A", "?"), True, record={"reading": reading})

    assert reading["talks"] == page.talks == ["a-b", "c-d"]
    assert page.lines == [[(0.0, 0.9), (1.0, 0.2)], [(0.0, 0.8), (1.0, 0.5)]]
    assert page.told == "0.20 to 0.50 in the end"
    assert draw_reading(page).count('class="line"') == 2


def test_figures_of_no_declared_table_have_no_reading():
    assert read_reading("row,n\na,1\n") == {}


def test_the_home_page_tells_of_each_page_its_question_and_how_fresh_it_is(home, pages):
    items = re.findall(r"<li data-kind=.*?</li>", home, flags=re.DOTALL)

    assert len(items) == len(read_specs(ROOT))
    for spec in pages:
        (item,) = [each for each in items if f'href="{spec.page}.html"' in each]
        assert str(spec.question).replace("'", "&#39;") in item
        assert re.search(r"current|stale since|failed since", item)
        assert f'href="{spec.page}.csv"' in item


def test_every_page_shows_its_latest_reading_as_a_small_chart_that_says_what_it_shows(home, pages):
    charts = re.findall(r'<svg class="small" role="img" [^>]*aria-label="([^"]+)"', home)

    assert len(charts) == len(pages)
    assert all(re.search(r": .*\d", label) for label in charts)


def test_the_home_page_is_whole_without_the_script_and_its_search_is_not_shown(home):
    assert '<div class="finder" role="search" aria-label="Pages" hidden>' in home


def test_a_page_that_is_not_built_again_is_marked_as_stale_with_the_file(make_shelf, built):
    shelf = make_shelf("stale")
    shutil.copytree(built.reports, shelf.reports)
    shelf.write("tiny/second", word="wheat")

    build_site(read_specs(shelf.root), root=shelf.root)
    first = shelf.read("index.html")
    build_site(read_specs(shelf.root), root=shelf.root)

    said = r"stale since \d+ \w+ \d{4}</strong>: reports/tiny/second.yml: changed; not built since"
    assert len(re.findall(said, first)) == 1
    assert shelf.read("index.html") == first


def test_the_feed_is_valid_atom(feed):
    assert feed.tag == f"{ATOM}feed"
    for each in [feed, *feed.iter(f"{ATOM}entry")]:
        for required in ("id", "title", "updated"):
            (found,) = each.findall(f"{ATOM}{required}")
            assert found.text
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", each.findtext(f"{ATOM}updated"))
        assert each.findtext(f"{ATOM}id").startswith("urn:uuid:")
        assert each.findall(f"{ATOM}link[@rel='alternate']")
    assert feed.findtext(f"{ATOM}author/{ATOM}name")
    assert feed.findall(f"{ATOM}link[@rel='self']")
    ids = [each.text for each in feed.iter(f"{ATOM}id")]
    assert len(ids) == len(set(ids)) > 1


def test_the_feed_leads_to_pages_that_are_there_and_its_days_are_those_of_the_figures(feed, pages):
    for entry in feed.iter(f"{ATOM}entry"):
        page = entry.find(f"{ATOM}link").get("href").removesuffix(".html")
        on = entry.findtext(f"{ATOM}updated")[:10]
        assert page in {spec.page for spec in pages}
        assert on in (REPORTS / f"{page}.csv").read_text(encoding="utf-8")


def test_the_feed_and_the_home_page_are_the_same_on_another_day(make_shelf, built, monkeypatch):
    shelf = make_shelf("later")
    shutil.copytree(built.reports, shelf.reports)
    names = ("index.html", "feed.xml", "data.html", "datapackage.json", "assets/live.js")

    class Later:
        @staticmethod
        def now(tz=None):
            raise AssertionError("the clock was asked")

    monkeypatch.setattr("tradegap.site.datetime", Later)
    build_site(read_specs(shelf.root), root=shelf.root)

    assert all(shelf.read(name) == built.read(name) for name in names)


def test_every_download_is_in_the_data_package_with_its_size_hash_and_columns(pages):
    package = json.loads((REPORTS / "datapackage.json").read_text(encoding="utf-8"))

    resources = {each["path"]: each for each in package["resources"]}
    assert resources.keys() == {f"{spec.page}.csv" for spec in pages}
    for path, resource in resources.items():
        content = (REPORTS / path).read_bytes()
        assert resource["bytes"] == len(content)
        assert resource["hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"
        header = next(csv.reader(content.decode().splitlines()))
        assert [each["name"] for each in resource["schema"]["fields"]] == header
        assert all(each["description"] for each in resource["schema"]["fields"])
        assert set(resource["schema"]["primaryKey"]) <= set(header)


def test_the_data_package_has_what_frictionless_asks_for():
    package = json.loads((REPORTS / "datapackage.json").read_text(encoding="utf-8"))

    names = [package["name"], *(each["name"] for each in package["resources"])]
    assert all(re.fullmatch(r"[-a-z0-9._/]+", name) for name in names)
    assert len(names) == len(set(names))
    assert [each["name"] for each in package["licenses"]] == ["CC-BY-4.0"]
    for resource in package["resources"]:
        assert not resource["path"].startswith(("/", "."))
        types = {each["type"] for each in resource["schema"]["fields"]}
        assert types <= {"string", "date", "integer", "number", "boolean"}
        rules = {
            rule for each in resource["schema"]["fields"] for rule in each.get("constraints", {})
        }
        assert rules <= {"required", "enum", "pattern", "minimum", "maximum"}


def test_published_figures_hold_to_their_declaration(pages, tmp_path):
    for spec in pages:
        header, *rows = (REPORTS / f"{spec.page}.csv").read_text(encoding="utf-8").splitlines(True)
        some = rows[:: len(rows) // 200 + 1]
        (tmp_path / "some.csv").write_text("".join([header, *some]), encoding="utf-8")

        table = find_table(header.strip().split(","))

        assert table, spec.page
        assert len(read_table(tmp_path / "some.csv", table.name)) == len(some)


def test_a_published_page_has_one_script_and_the_policy_that_allows_it_alone():
    for path in REPORTS.rglob("*.html"):
        html = path.read_text(encoding="utf-8")
        assert html.count("<script") == html.count('assets/live.js"></script>') == 1, path
        assert "default-src 'none'; script-src 'self';" in html, path


def test_a_picture_of_the_docs_shows_the_page_that_is_published():
    pictures = json.loads((ROOT / chromium.PICTURES).read_text(encoding="utf-8"))

    for name, shown in pictures.items():
        assert (ROOT / "docs" / name).is_file()
        assert shown["sha256"] == hash_file(ROOT / shown["page"]), f"{name}: run make pictures"
    assert {path.name for path in (ROOT / "docs").glob("*.png")} == pictures.keys()


def test_a_page_as_one_file_has_its_script_and_figures_in_it_and_names_them_in_its_policy():
    page = (
        '<meta content="default-src x"><style>p{}</style><p style="top:0">'
        '<a href="a.csv" download="">a.csv</a> <a href="../index.html">home</a> <a href="#s">s</a>'
        '<script defer="" src="../assets/live.js"></script></body>'
    )

    joined = join_parts(page, script="go()", figures={"a.csv": b"n\n1\n"})

    assert f"script-src {named('go()')};" in joined
    assert f"style-src 'unsafe-hashes' {named('p{}')} {named('top:0')};" in joined
    assert "<span>home</span>" in joined
    assert '<a href="#s">s</a>' in joined
    assert 'download="a.csv.gz" href="data:application/gzip;base64,' in joined
    assert "src=" not in joined.replace("-src", "")


def test_every_published_page_is_small_enough_to_send_as_one_file(pages, tmp_path):
    for spec in pages:
        path = write_standalone(spec.page, out=REPORTS, folder=tmp_path)

        assert path.stat().st_size <= LIMIT_BYTES


def test_without_a_browser_a_page_is_not_printed_and_one_line_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("TRADEGAP_BROWSER", "no-such-browser")

    with pytest.raises(DataError, match=r"^no Chromium on this machine; install .*BROWSER$"):
        chromium.print_page(REPORTS / "index.html", tmp_path / "a.pdf")

    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("browser")
def test_a_page_is_printed_on_paper(built, tmp_path):
    chromium.print_page(built.reports / "tiny" / "first.html", tmp_path / "a.pdf", paper="letter")

    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")


def test_a_day_of_the_feed_is_a_day(feed):
    for each in feed.iter(f"{ATOM}updated"):
        assert date.fromisoformat(each.text[:10])
