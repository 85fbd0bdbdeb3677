"""Pages as readers of all kinds meet them: by screen reader, by link, on paper, in a mail."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import nbformat
import pytest

from tradegap.browser import Tab
from tradegap.charts.look import COLOURS

ROOT = Path(__file__).parents[2]
PUBLISHED = sorted((ROOT / "reports").rglob("*.html"))
KINDS = list({path.parent: path for path in PUBLISHED}.values())
LOOKS = [(width, dark) for width in (390, 1440) for dark in (False, True)]
CSS = (ROOT / "toolkit/tradegap/template/page.css").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, which a package of the lock ships."""
    found = find_spec("axe_playwright_python")
    if found is None or not found.submodule_search_locations:
        if os.environ.get("TRADEGAP_CI"):
            pytest.fail("axe_playwright_python is not installed; it is in the lock")
        pytest.skip("axe_playwright_python is not installed")
    return Path(found.submodule_search_locations[0], "axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", KINDS, ids=lambda path: path.parent.name)
def test_axe_finds_no_violation_on_phone_and_desk_light_and_dark(browser, axe, path):
    found = {}
    for width, dark in LOOKS:
        tab = Tab(browser, path.as_uri(), width=width, dark=dark)
        tab.run(axe + ";0")
        said = tab.ask(
            "Runtime.evaluate",
            expression="axe.run().then((r) => JSON.stringify(r.violations.map((v) => v.id)))",
            awaitPromise=True,
            returnByValue=True,
        )
        found[width, dark] = json.loads(said["result"]["value"])
        tab.close()

    assert found == {look: [] for look in LOOKS}


@pytest.mark.parametrize("path", KINDS, ids=lambda path: path.parent.name)
def test_every_link_into_the_page_lands_and_every_linked_mark_is_drawn(browser, path):
    tab = Tab(browser, path.as_uri(), scripts=False)

    lost = tab.run(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map((a) => a.getAttribute('href'))"
        ".filter((h) => !document.getElementById(h.slice(1)))"
    )
    flat = tab.run(
        "[...document.querySelectorAll('svg a path')].filter((m) => !m.getBBox().width).length"
    )
    tab.close()

    assert lost == []
    assert flat == 0


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("mode", ["light", "dark"])
def test_colours_stand_out_from_the_paper_and_text_can_be_read(mode):
    blocks = re.findall(r":root \{(.*?)\}", CSS, flags=re.DOTALL)
    own = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[mode == "dark"]))

    def contrast(name: str) -> float:
        low, high = sorted(luminance(own[each]) for each in (name, "paper"))
        return (high + 0.05) / (low + 0.05)

    assert {name for name in ("ink", "muted", "accent") if contrast(name) < 4.5} == set()
    assert {name for name in COLOURS if contrast(name) < 3} == set()


def test_an_analysts_own_notebook_takes_the_look_of_the_pages(tmp_path):
    shared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    for source, place in shared["build"]["targets"]["wheel"]["shared-data"].items():
        target = tmp_path / place.removeprefix("share/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / source).read_bytes())
    cells = [nbformat.v4.new_markdown_cell("## Mine")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "mine.ipynb")

    subprocess.run(
        [
            *(sys.executable, "-m", "nbconvert", "--to", "html", "--template", "tradegap"),
            str(tmp_path / "mine.ipynb"),
        ],
        env={**os.environ, "JUPYTER_PATH": str(tmp_path / "jupyter")},
        check=True,
        capture_output=True,
    )

    html = (tmp_path / "mine.html").read_text(encoding="utf-8")
    assert "--widening" in html
    assert re.search("<h1>mine</h1>", html)
    assert re.search("<h2[^>]*>Mine", html)
