"""Pages in a real browser with the network watched: without the script, with it, as one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tradegap.browser import Tab
from tradegap.standalone import write_standalone

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "reports"
PUBLISHED = sorted(REPORTS.rglob("*.html"))
# One page of each kind: they are made alike, and test_site.py holds each to script and policy.
KINDS = list({path.parent: path for path in PUBLISHED}.values())
TIMELINE = next(p for p in PUBLISHED if "data-span" in p.read_text(encoding="utf-8"))


def name_of(path: Path) -> str:
    return path.relative_to(REPORTS).as_posix()


@pytest.fixture
def visit(browser):
    tabs = []

    def visit(path: Path, **settings) -> Tab:
        tabs.append(Tab(browser, path.as_uri(), **settings))
        return tabs[-1]

    yield visit
    for tab in tabs:
        tab.close()


@pytest.fixture
def woken(visit):
    """The page with a timeline, woken up."""
    return visit(TIMELINE)


def asked_for(tab: Tab) -> list[str]:
    return [url for url in tab.requests() if not url.startswith("data:image/")]


@pytest.mark.parametrize("path", KINDS, ids=name_of)
def test_with_the_script_a_page_asks_for_it_alone_and_nothing_is_on_the_console(visit, path):
    tab = visit(path)

    assert asked_for(tab) == [path.as_uri(), (REPORTS / "assets" / "live.js").as_uri()]
    assert tab.complaints() == []


@pytest.mark.parametrize("path", KINDS, ids=name_of)
def test_without_javascript_a_page_asks_for_nothing_and_shows_no_control(visit, path):
    tab = visit(path, scripts=False)

    assert asked_for(tab) == [path.as_uri()]
    assert tab.complaints() == []
    assert tab.run("document.querySelectorAll('button, input:not([hidden] *)').length") == 0


@pytest.mark.parametrize("path", [p for p in KINDS if p.parent != REPORTS], ids=name_of)
def test_as_one_file_a_page_wakes_up_and_asks_for_nothing(visit, path, tmp_path):
    page = name_of(path).removesuffix(".html")

    tab = visit(write_standalone(page, out=REPORTS, folder=tmp_path))

    assert len(asked_for(tab)) == 1
    assert tab.complaints() == []
    assert tab.run("document.querySelectorAll('.tip').length") == 1


def test_a_script_that_a_document_brought_would_not_run(visit, tmp_path):
    html = TIMELINE.read_text(encoding="utf-8")
    bad = tmp_path / "bad.html"
    bad.write_text(html.replace("</main>", "<script>document.title = 'hit'</script></main>"))

    assert visit(bad).run("document.title") != "hit"


def test_dragging_over_a_timeline_leaves_the_evidence_of_those_days(woken):
    left, right, top = woken.run(
        """(() => { const line = [...document.querySelectorAll(
            '.figure[data-span] .role-axis-domain line')].find((e) => +e.getAttribute('x2') > 0);
        line.scrollIntoView({ block: 'center' });
        const box = line.getBoundingClientRect(); return [box.left, box.right, box.top]; })()"""
    )
    # Off the middle, so that no mark is in the way.
    for kind, share in (("Pressed", 0.3), ("Moved", 0.4), ("Moved", 0.6), ("Released", 0.6)):
        woken.ask(
            "Input.dispatchMouseEvent", type=f"mouse{kind}", x=left + share * (right - left),
            y=top - 3, button="left", buttons=1, clickCount=1,
        )  # fmt: skip

    first, last = woken.run("document.querySelector('[data-span]').dataset.span.split(' ')")
    shown, hidden = woken.run(
        """[...document.querySelectorAll('.evidence tbody tr')].reduce(([a, b], row) => row.hidden
        ? [a, [...b, dayOf(row.textContent)]] : [[...a, dayOf(row.textContent)], b], [[], []])"""
    )
    begin, end = woken.run("[wanted.from, wanted.to]")
    assert first < begin < end < last
    assert shown
    assert hidden
    assert all(begin <= day <= end for day in shown)
    assert all(not begin <= day <= end for day in hidden)
    said = woken.run("document.querySelector('.bar [role=status]').textContent")
    assert said.startswith(f"{len(shown)} of {len(shown) + len(hidden)} entries from ")


def test_the_legend_leaves_out_the_signals_of_a_direction_in_chart_and_evidence(woken):
    count = "document.querySelectorAll('.evidence tbody tr:not([hidden]) .state.open').length"
    before = woken.run(count)

    woken.run("document.querySelector('.figure .toggles .open').click()")

    assert before > 0
    assert woken.run(count) == 0
    assert woken.run("document.querySelectorAll('.figure svg .out').length") > 0
    assert woken.run("document.querySelector('#found .open').ariaPressed") == "false"


def test_a_mark_under_the_mouse_shows_the_sentence_that_it_leads_to(woken):
    x, y = woken.run(
        """(async () => { const [mark] = [...marks].find(([, each]) => saidIn(each.source));
        mark.scrollIntoView({ block: 'center' });
        await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
        const box = mark.getBoundingClientRect();
        return [box.x + box.width / 2, box.y + box.height / 2]; })()"""
    )

    woken.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    woken.run("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")

    tip = woken.run("document.querySelector('.tip:not([hidden])')?.lastChild.textContent")
    assert tip
    assert tip.rstrip("…") in woken.run("words(document.querySelector('main').textContent)")


def test_a_link_to_a_sentence_that_is_left_out_brings_it_back(woken):
    woken.run("narrow({ text: 'no such words' })")

    woken.run("document.querySelector('main a[href^=\"#s-\"]').click()")

    assert woken.run("document.querySelectorAll('.evidence tr[hidden]').length") == 0


def test_a_heading_sorts_its_table_by_day_and_back(woken):
    days = "[...document.querySelectorAll('.evidence')].find((t) => t.rows.length > 9)"
    script = f"(() => {{ const t = {days}; t.querySelector('.sort').click();"
    script += " return [...t.querySelectorAll('tbody tr')].map((r) => dayOf(r.textContent)); })()"

    up, down = woken.run(script), woken.run(script)

    assert up == sorted(up)
    assert down == sorted(up, reverse=True)
    assert up != down


def test_a_search_narrows_the_evidence(woken):
    word = woken.run("rows[0].text.match(/[a-z]{7,}/)[0]")

    woken.run(f"narrow({{ text: '{word}' }})")

    texts = woken.run(
        "[...document.querySelectorAll('.evidence tbody tr:not([hidden])')]"
        ".map((row) => row.textContent.toLowerCase())"
    )
    assert texts
    assert all(word in text for text in texts)


def test_the_home_page_finds_pages_by_word_negotiation_issue_and_kind(visit):
    tab = visit(REPORTS / "index.html")
    script = """(() => { const field = document.querySelector('.finder [name=%s]');
        field.value = field.options ? field.options[1].value : 'japan';
        field.dispatchEvent(new Event('input', { bubbles: true }));
        const shown = document.querySelectorAll('.pages > li:not([hidden])').length;
        field.value = ''; field.dispatchEvent(new Event('input', { bubbles: true }));
        return shown; })()"""
    whole = tab.run("document.querySelectorAll('.pages > li:not([hidden])').length")

    for name in ("words", "talks", "issues", "kind"):
        assert 0 < tab.run(script % name) < whole, name
    assert tab.run("document.querySelectorAll('.pages > li:not([hidden])').length") == whole
