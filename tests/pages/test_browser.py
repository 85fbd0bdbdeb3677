"""Pages as a reader sees them: in a real browser, with no network, on a phone and on a desk."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
PUBLISHED = sorted((ROOT / "reports").rglob("*.html"))

# Chromium gives a window no narrower than 500 px: a frame of the width in question holds the page.
PROBE = """<!DOCTYPE html><iframe id="page" src="{address}" width="{width}" height="900"></iframe>
<pre id="found"></pre><script>
document.getElementById("page").onload = (event) => {{
  const page = event.target.contentDocument, root = page.documentElement;
  const wide = [...page.querySelectorAll("body *")].filter((e) =>
    e.getBoundingClientRect().right > root.clientWidth + 1 && !e.closest(".scroll, .skip, svg"));
  document.getElementById("found").textContent = JSON.stringify({{
    mains: page.querySelectorAll("main").length,
    text: page.querySelector("main").innerText.length,
    width: root.clientWidth, overflow: root.scrollWidth - root.clientWidth,
    wide: wide.slice(0, 3).map((e) => e.outerHTML.slice(0, 120)),
    fetched: event.target.contentWindow.performance.getEntriesByType("resource").map((e) => e.name),
  }});
}};
</script>"""


def pytest_generate_tests(metafunc):
    if "page" in metafunc.fixturenames:
        ids = [path.relative_to(ROOT / "reports").as_posix() for path in PUBLISHED]
        metafunc.parametrize("page", PUBLISHED, ids=ids)


@pytest.fixture
def browse(tmp_path):
    if BROWSER is None:
        if os.environ.get("TRADEGAP_CI"):
            pytest.fail("no chromium on this machine; .ci/run installs one")
        pytest.skip("no chromium on this machine")

    def browse(page: Path, *, width: int) -> dict:
        probe = tmp_path / f"probe-{width}.html"
        probe.write_text(PROBE.format(address=page.as_uri(), width=width), encoding="utf-8")
        flags = (
            "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run "
            "--disable-background-networking --disable-component-update --disable-sync "
            "--allow-file-access-from-files --host-resolver-rules=MAP?*?~NOTFOUND "
            "--virtual-time-budget=5000 --dump-dom"
        )
        run = subprocess.run(
            [
                BROWSER,
                *(flag.replace("?", " ") for flag in flags.split()),
                f"--user-data-dir={tmp_path / 'profile'}",
                probe.as_uri(),
            ],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        found = re.search(r'<pre id="found">(.+?)</pre>', run.stdout, flags=re.DOTALL)
        assert found, run.stderr
        return json.loads(found[1].replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))

    return browse


@pytest.mark.parametrize("width", [390, 1440])
def test_a_published_page_fits_the_screen_and_fetches_nothing_but_our_script(browse, page, width):
    seen = browse(page, width=width)

    assert seen["mains"] == 1
    assert seen["text"] > 100
    assert seen["overflow"] <= 0, seen["wide"]
    assert {name.rpartition("/reports/")[2] for name in seen["fetched"]} <= {"assets/live.js"}


def test_a_wide_chart_and_a_wide_table_fit_a_phone(browse, built):
    seen = browse(built.reports / "tiny" / "first.html", width=390)

    assert seen["width"] < 400
    assert seen["mains"] == 1
    assert seen["overflow"] <= 0, seen["wide"]
