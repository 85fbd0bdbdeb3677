"""Statistics and lists of news from elsewhere: what does not stand leaves what was there.

The answers are written by us in the form that the services document, and served on loopback.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import threading
import time
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from tradegap import cli
from tradegap.errors import FetchError
from tradegap.fetch import fetch_trade, find_news
from tradegap.fetch.statistics import write
from tradegap.fetch.web import Service, connect
from tradegap.stakes import read_trade, trace_balance
from tradegap.talks import read_negotiation

ROOT = Path(__file__).resolve().parents[1]
DAY = date(2026, 11, 24)
KEY = "a-key-of-no-use"
MONTHS = ["2025-01", "2025-02", "2025-03"]


class Server:
    """A service that answers by what it is asked, and notes it."""

    def __init__(self) -> None:
        self.answer = lambda path, query: (200, b"{}", {})
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.delay = 0.0
        self.url = ""


@pytest.fixture
def server():
    running = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            running.asked.append((parts.path, query, dict(self.headers)))
            status, body, headers = running.answer(parts.path, query)
            time.sleep(running.delay)
            try:
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                pass

        def log_message(self, *_: object) -> None:
            pass

    with serving(Handler) as port:
        running.url = f"http://127.0.0.1:{port}"
        yield running


@contextmanager
def serving(handler):
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        http.daemon_threads = True
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield http.server_port
        finally:
            http.shutdown()
            thread.join()


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A project of three negotiations with Japan's rows of the trade files; returns data/trade."""
    data = tmp_path / "data"
    for talks in ("us-japan-2025", "uk-india", "us-eu-2025"):
        kept = shutil.ignore_patterns("notes", "*.jsonl")
        shutil.copytree(ROOT / "data/talks" / talks, data / "talks" / talks, ignore=kept)
    shutil.copytree(ROOT / "data" / "trade", data / "trade")
    for name in ("totals_monthly.csv", "products_monthly.csv"):
        header, *rows = (data / "trade" / name).read_text(encoding="utf-8").splitlines(True)
        kept = [row for row in rows if ",JPN," in row]
        (data / "trade" / name).write_text("".join([header, *kept]), encoding="utf-8")
    for name in ("issues.csv", "parties.csv"):
        shutil.copy(ROOT / "data" / name, data)
    monkeypatch.setenv("TRADEGAP_ROOT", str(tmp_path))
    for name in ("TRADEGAP_CENSUS_KEY", "TRADEGAP_COMTRADE_KEY"):
        monkeypatch.delenv(name, raising=False)
    return data / "trade"


def bytes_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def quick(server, **options) -> Service:
    return Service(server.url, waits=(0.0, 0.0), sleep=lambda seconds: None, **options)


def census(path: str, query: dict[str, str]):
    """Answer as the Census service documents: a list of lists, the first of them the header."""
    asked = query["get"].split(",")
    header = [*asked, *(["COMM_LVL"] if "COMM_LVL" in query else []), "CTY_CODE", "time"]
    rows = []
    for number, month in enumerate(MONTHS):
        if "I_COMMODITY" in asked:
            rows += [
                [chapter, str(value), str(value // 40), "HS2", "5880", month]
                for chapter, value in (("02", 90_000_000), ("87", 4_000_000_000))
            ]
        else:
            value = 7_000_000_000 if path.startswith("/exports") else 12_500_000_000
            rows.append([str(value + number), "5880", month])
    return 200, json.dumps([header, *rows]).encode(), {}


def comtrade(path: str, query: dict[str, str]):
    rows = [
        {"reporterCode": 356, "period": period, "flowCode": flow, "primaryValue": value}
        for period in query["period"].split(",")
        for flow, value in (("X", 1.1e9), ("M", 7e8))
    ]
    body = {"elapsedTime": "0.1 secs", "count": len(rows), "data": rows, "error": ""}
    return 200, json.dumps(body).encode(), {}


def eurostat(path: str, query: dict[str, str]):
    months = {"2025-01": 0, "2025-02": 1, "2025-03": 2}
    value = 45_000.5 if query["stk_flow"] == "EXP" else 29_000.0
    names = ["freq", "stk_flow", "indic_et", "partner", "sitc06", "geo", "time"]
    cube = {
        "version": "2.0",
        "class": "dataset",
        "id": names,
        "size": [1, 1, 1, 1, 1, 1, 3],
        "dimension": {"time": {"category": {"index": months}}},
        "value": {str(place): value for place in months.values()},
    }
    return 200, json.dumps(cube).encode(), {}


def take_census(server, **options):
    return fetch_trade(
        "us-japan-2025",
        "census",
        first="2025-01",
        last="2025-03",
        service=quick(server, **options),
        today=DAY,
    )


# --- what comes in -------------------------------------------------------------------------------


def test_the_census_gives_totals_and_product_groups_with_vintage_and_hash(server, project):
    bodies = []

    def answer(path, query):
        bodies.append(census(path, query))
        return bodies[-1]

    server.answer = answer

    told = take_census(server)

    trade = read_trade()
    source = trade.sources.set_index("source_id").loc["census-2026-11-24-usa-jpn"]
    new = trade.totals[trade.totals["source_id"] == "census-2026-11-24-usa-jpn"]
    cars = trade.products.query("group_id == 'hs-vehicles' and month == '2025-02'").iloc[0]
    assert told == ["census: USA with JPN, 2025-01 to 2025-03, USD m: 3 months"]
    assert list(new["month"]) == MONTHS
    assert list(new.iloc[0][["exports_mn", "imports_mn"]]) == [7000.0, 12500.0]
    assert [cars["imports_mn"], cars["duties_mn"]] == [4000.0, 100.0]
    assert source["vintage"] == "2026-11-24"
    assert source["sha256"].split(";") == [
        hashlib.sha256(body).hexdigest() for _, body, _ in bodies
    ]
    assert server.asked[0][1] == {
        "get": "ALL_VAL_MO",
        "CTY_CODE": "5880",
        "time": "from 2025-01 to 2025-03",
    }


def test_what_was_fetched_is_drawn_and_what_it_replaced_is_gone(server, project):
    server.answer = census
    take_census(server)

    balance = trace_balance(read_negotiation("us-japan-2025"), as_of=date(2025, 9, 16))

    own = balance[balance["month"].isin(MONTHS)]
    assert set(own["balance_mn"]) == {-5500.0}
    assert balance["month"].is_unique


def test_comtrade_tells_of_parties_of_whom_nothing_was_on_record(server, project):
    server.answer = comtrade

    told = fetch_trade(
        "uk-india", "comtrade", first="2021-01", last="2022-06", service=quick(server), today=DAY
    )

    balance = trace_balance(read_negotiation("uk-india"), as_of=date(2025, 7, 24))
    assert told == ["comtrade: IND with GBR, 2021-01 to 2022-06, USD m: 18 months"]
    assert [path for path, _, _ in server.asked] == ["/public/v1/preview/C/M/HS"] * 2
    assert server.asked[0][1]["period"].count(",") == 11
    assert set(balance["balance_mn"]) == {400.0}


def test_eurostat_stays_in_euro(server, project):
    server.answer = eurostat

    fetch_trade(
        "us-eu-2025", "eurostat", first="2025-01", last="2025-03", service=quick(server), today=DAY
    )

    balance = trace_balance(read_negotiation("us-eu-2025"), as_of=date(2025, 9, 1))
    assert list(zip(balance["month"], balance["balance_mn"], balance["unit"], strict=True)) == [
        (month, 16000.5, "EUR m") for month in MONTHS
    ]


def test_writing_the_files_anew_changes_no_byte_of_what_was_there():
    trade = read_trade()

    for name, rows in (("totals", trade.totals), ("products", trade.products)):
        there = (ROOT / "data" / "trade" / f"{name}_monthly.csv").read_bytes()
        assert write(rows).encode() == there


def test_a_key_goes_to_the_service_and_nowhere_else(server, project, monkeypatch, capsys):
    monkeypatch.setenv("TRADEGAP_CENSUS_KEY", KEY)
    server.answer = census
    command = ["fetch", "trade", "us-japan-2025", "--source", "census", "--base-url", server.url]

    cli.main([*command, "--from", "2025-01", "--to", "2025-03"])
    server.answer = lambda path, query: (400, f"error: key={query['key']} is known".encode(), {})
    with pytest.raises(SystemExit):
        cli.main([*command, "--from", "2025-01", "--to", "2025-03"])

    printed = "".join(capsys.readouterr())
    kept = b"".join(bytes_of(project).values()).decode()
    assert all(query["key"] == KEY for _, query, _ in server.asked)
    assert "key=… is known" in printed
    assert KEY not in printed + kept + repr(connect(server.url, "TRADEGAP_CENSUS_KEY"))


def test_a_key_is_not_sent_in_the_clear(monkeypatch):
    monkeypatch.setenv("TRADEGAP_COMTRADE_KEY", KEY)

    with pytest.raises(FetchError, match="would get TRADEGAP_COMTRADE_KEY in the clear"):
        connect("http://example.org", "TRADEGAP_COMTRADE_KEY")


def test_the_months_asked_for_are_those_of_the_talks_and_fewer_are_told(server, project):
    server.answer = census

    told = fetch_trade("us-japan-2025", "census", service=quick(server), today=DAY)

    assert server.asked[0][1]["time"] == "from 2024-04 to 2025-09"
    assert told[0].endswith("3 months of 18 asked")


# --- what does not stand -------------------------------------------------------------------------


def say(body: bytes, status: int = 200, **headers: str):
    return lambda path, query: (
        status,
        body,
        {name.replace("_", "-"): value for name, value in headers.items()},
    )


def doctored(change):
    """Answer as the Census does, its table changed."""

    def answer(path, query):
        status, body, headers = census(path, query)
        table = json.loads(body)
        change(table)
        return status, json.dumps(table).encode(), headers

    return answer


def rename(table):
    table[0][0] = "ALL_VALUE_MONTH"


def drop_month(table):
    table[:] = [row for row in table if row[-1] != "2025-02"]


def in_thousands(table):
    for row in table[1:]:
        row[0] = str(int(row[0]) // 1000) if len(row[0]) > 2 else row[0]


def no_number(table):
    table[1][0] = "(D)"


def short_row(table):
    table[2] = table[2][:-1]


BROKEN = {
    "rate limit": (say(b"slow down", 429, Retry_After="7"), "429 .* 3 times; try again in 7 s"),
    "server's fault": (say(b"<h1>oops</h1>", 503), "answered 503 .* 3 times; try again later"),
    "no key": (
        say(b"", 302, Location="/missing_key.html"),
        "302 .*; set the key in TRADEGAP_X_KEY",
    ),
    "refused key": (say(b"no", 403), "answered 403 .*; set the key in TRADEGAP_X_KEY"),
    "wrong question": (
        say(b"error: unknown variable", 400),
        "answered 400 .error: unknown variable",
    ),
    "nothing": (say(b"", 204), "has nothing for what was asked"),
    "cut off": (say(b'[["ALL_VAL_MO"', Content_Length="900"), "cut off at 14 of 900 bytes"),
    "malformed": (say(b'[["ALL_VAL_MO","time"],["1",'), "is no whole JSON"),
    "a web page": (say(b"<html>Maintenance</html>"), "<html>Maintenance</html>.*is no whole JSON"),
    "another form": (say(b'{"rows": []}'), "found the columns None; it takes ALL_VAL_MO, time"),
    "a renamed column": (doctored(rename), "ALL_VALUE_MONTH.*form may have changed"),
    "a row that is short": (doctored(short_row), "found the row .*form may have changed"),
    "a figure that is none": (doctored(no_number), r"found the figure .\(D\)"),
    "other units": (doctored(in_thousands), "did the unit change.*nothing was changed"),
    "bytes, not text": (say(bytes(range(128, 256))), "is no whole JSON"),
    "only a header": (say(b'[["ALL_VAL_MO","time","GEN_VAL_MO"]]'), "has nothing from 2025-01"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_answer_that_does_not_stand_is_one_clear_line_and_changes_nothing(server, project, kind):
    server.answer, said = BROKEN[kind]
    before = bytes_of(project)

    with pytest.raises(FetchError, match=said) as refused:
        take_census(server, key_variable="TRADEGAP_X_KEY")

    assert bytes_of(project) == before
    assert all("\n" not in fault for fault in refused.value.faults)


def test_months_that_leave_a_hole_are_refused_by_name_and_change_nothing(server, project):
    server.answer = comtrade
    fetch = {"service": quick(server), "today": DAY}
    fetch_trade("uk-india", "comtrade", first="2021-01", last="2021-06", **fetch)
    before = bytes_of(project)

    with pytest.raises(FetchError, match="IND GBR: no row for 2021-07, 2021-08; add the months"):
        fetch_trade("uk-india", "comtrade", first="2021-09", last="2021-12", **fetch)

    assert bytes_of(project) == before


def test_a_month_with_imports_alone_is_refused(server, project):
    def answer(path, query):
        return doctored(drop_month)(path, query) if "exports" in path else census(path, query)

    server.answer = answer

    with pytest.raises(FetchError, match="has only exports or only imports of 2025-02"):
        take_census(server)


def test_a_service_that_does_not_answer_in_time_is_left(server, project):
    server.answer, server.delay = census, 1.0
    before = bytes_of(project)

    with pytest.raises(FetchError, match=r"no answer within 0\.2 s; try again later"):
        take_census(server, timeout_seconds=0.2)

    assert bytes_of(project) == before


def test_a_service_that_is_not_there_is_told_and_the_command_exits_with_1(project, capsys):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    command = ["fetch", "trade", "us-japan-2025", "--source", "census", "--base-url"]

    with pytest.raises(SystemExit) as ended:
        cli.main([*command, f"http://127.0.0.1:{port}"])

    assert ended.value.code == 1
    assert "cannot be reached" in capsys.readouterr().err


def test_a_busy_service_is_asked_again_after_as_long_as_it_wants(server, project):
    waited: list[float] = []
    answers = [say(b"", 429, Retry_After="9"), census, census, census]
    server.answer = lambda path, query: answers.pop(0)(path, query)

    fetch_trade(
        "us-japan-2025",
        "census",
        first="2025-01",
        last="2025-03",
        today=DAY,
        service=Service(server.url, sleep=waited.append),
    )

    assert waited == [9.0]


@pytest.mark.parametrize(
    ("talks", "source", "said"),
    [
        ("uk-india", "census", "has no statistics of the trade between India and UK"),
        ("uk-india", "eurostat", "has no statistics of the trade between India and UK"),
    ],
)
def test_parties_that_a_service_does_not_know_are_named(server, project, talks, source, said):
    with pytest.raises(FetchError, match=said):
        fetch_trade(talks, source, service=quick(server), today=DAY)


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [("2025-13", "", "--from: found '2025-13'"), ("2025-05", "2025-01", "is after 2025-01")],
)
def test_months_that_are_none_are_refused(server, project, first, last, said):
    with pytest.raises(FetchError, match=said):
        fetch_trade("us-japan-2025", "census", first=first, last=last, service=quick(server))


def test_comtrades_own_error_and_a_changed_form_are_told(server, project):
    fetch = {"service": quick(server), "today": DAY, "first": "2021-01", "last": "2021-03"}
    for body, said in (
        ({"data": [], "error": "too many periods"}, "says .too many periods"),
        ({"dataset": []}, "it takes data"),
        ({"data": [{"flowCode": "X", "refPeriod": 202101}]}, "it takes flowCode, period, primary"),
    ):
        server.answer = say(json.dumps(body).encode())

        with pytest.raises(FetchError, match=said):
            fetch_trade("uk-india", "comtrade", **fetch)


def test_a_cube_with_another_dimension_is_refused(server, project):
    def answer(path, query):
        cube = json.loads(eurostat(path, query)[1])
        return 200, json.dumps(cube | {"size": [1, 1, 1, 2, 1, 1, 3]}).encode(), {}

    server.answer = answer

    with pytest.raises(FetchError, match="it takes one value of all but time"):
        fetch_trade(
            "us-eu-2025",
            "eurostat",
            first="2025-01",
            last="2025-03",
            service=quick(server),
            today=DAY,
        )


# --- news ----------------------------------------------------------------------------------------


def gdelt(*articles: dict[str, str]):
    return say(json.dumps({"articles": list(articles)}).encode())


ARTICLE = {
    "url": "https://news.example/one",
    "title": "Envoys meet  on car tariffs",
    "seendate": "20250501T081500Z",
    "domain": "news.example",
    "language": "English",
}
FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>The Example</title>
<item><title>Japan, US meet</title><link>https://news.example/1</link>
<pubDate>Thu, 01 May 2025 08:00:00 GMT</pubDate></item>
<item><title>Rain in Tokyo</title><link>https://news.example/2</link>
<pubDate>Thu, 01 May 2025 08:00:00 GMT</pubDate></item>
<item><title>Japanese minister in Washington for American tariff talks</title>
<link>javascript:alert(1)</link><pubDate>Thu, 01 May 2025 08:00:00 GMT</pubDate></item>
<item><title>Japan, United States: a deal?</title><link>https://news.example/4</link>
<pubDate>soon</pubDate></item></channel></rss>"""


def test_gdelt_lists_candidates_of_the_days_of_the_talks(server, project):
    late = ARTICLE | {"url": "https://news.example/late", "seendate": "20261001T000000Z"}
    server.answer = gdelt(ARTICLE, ARTICLE, late, {"title": "no link"})

    rows, refused = find_news("us-japan-2025", "gdelt", service=quick(server))

    query = server.asked[0][1]
    assert rows.to_dict("records") == [
        {
            "published": pd.Timestamp("2025-05-01"),
            "title": "Envoys meet on car tariffs",
            "publisher": "news.example",
            "link": "https://news.example/one",
        }
    ]
    assert len(refused) == 1
    assert '(Japan OR Japanese) ("United States" OR American' in query["query"]
    assert (query["startdatetime"], query["mode"]) == ("20250416000000", "ArtList")


def test_a_feed_is_read_for_what_names_two_parties(server, project, capsys):
    server.answer = say(FEED.encode())

    cli.main(["fetch", "news", "us-japan-2025", "--source", "rss", "--base-url", server.url])

    out, err = capsys.readouterr()
    assert out.splitlines() == [
        "published,title,publisher,link",
        '2025-05-01,"Japan, US meet",The Example,https://news.example/1',
    ]
    assert "item 3: found the link 'javascript:alert(1)'" in err
    assert "item 4: found the date 'soon'" in err


def test_a_feed_in_the_other_form_is_read_too(server, project):
    entry = (
        "<entry><title>Japan meets the United States</title><link href='https://news.example/a'/>"
        "<updated>2025-05-02T01:00:00Z</updated></entry>"
    )
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>Wire</title>{entry}</feed>"
    server.answer = say(atom.encode())

    rows, refused = find_news("us-japan-2025", "rss", service=quick(server))

    assert (rows["publisher"].iloc[0], rows["link"].iloc[0], refused) == (
        *("Wire", "https://news.example/a"),
        [],
    )


def test_what_a_feed_declares_is_not_unfolded(server, project, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("Japan and the United States: SECRET")
    bomb = (
        f"<!DOCTYPE rss [<!ENTITY a SYSTEM 'file://{secret}'>]><rss><channel><item>"
        "<title>&a;</title><link>https://news.example/x</link>"
        "<pubDate>Thu, 01 May 2025 08:00:00 GMT</pubDate></item></channel></rss>"
    )
    server.answer = say(bomb.encode())

    rows, _ = find_news("us-japan-2025", "rss", service=quick(server))

    assert rows.empty


@pytest.mark.parametrize(
    ("source", "answer", "said"),
    [
        ("gdelt", say(b"Your query was too short."), "Your query was too short.*no whole JSON"),
        ("gdelt", say(b'{"documents": []}'), "it takes a list of articles"),
        ("gdelt", say(b'["articles"]'), "it takes a list of articles"),
        ("gdelt", say(b"slow down", 429, Retry_After="5"), "429 .* try again in 5 s"),
        ("rss", say(b"<rss><channel><item>"), "is no whole feed"),
        ("rss", say(b"<html><body/></html>"), "which is no feed"),
        ("rss", say(b""), "is no whole feed"),
        ("rss", say(b"<rss>", Content_Length="70"), "cut off at 5 of 70 bytes"),
    ],
)
def test_a_list_of_news_that_does_not_stand_is_one_clear_line(
    server, project, source, answer, said
):
    server.answer = answer

    with pytest.raises(FetchError, match=said):
        find_news("us-japan-2025", source, service=quick(server))


def test_a_feed_without_an_address_is_asked_for(project):
    with pytest.raises(FetchError, match="for rss it takes the address of a feed"):
        find_news("us-japan-2025", "rss")


def test_nothing_that_builds_a_page_can_fetch():
    package = ROOT / "toolkit" / "tradegap"
    users = [
        path.relative_to(package).as_posix()
        for path in sorted(package.rglob("*.py"))
        if "tradegap.fetch" in path.read_text(encoding="utf-8")
    ]

    assert [name for name in users if not name.startswith("fetch/")] == ["cli.py"]
