"""Our engine gives the same page as a stock kernel, and no page is in another's way."""

from __future__ import annotations

import shutil

import pytest

from tradegap.site import SITE_FILES

LEAKS = """
import builtins, os, sys, warnings
import altair as alt
import numpy as np
import pandas as pd
seen = [
    getattr(builtins, "leak", "clean"),
    alt.theme.active,
    os.environ.get("LEAK", "clean"),
    os.path.basename(os.getcwd()),
    getattr(pd, "leak", "clean"),
    str(pd.get_option("display.max_rows")),
    sys.getrecursionlimit(),
    "leak" in globals(),
    len(In),
]
figures += seen
leak = builtins.leak = pd.leak = "leaked"
alt.theme.enable("dark")
os.environ["LEAK"] = "leaked"
os.chdir("/")
pd.set_option("display.max_rows", 3)
sys.setrecursionlimit(5000)
"""


@pytest.fixture(scope="session")
def engines(make_shelf):
    """One shelf built by each engine, to the same specs: a kernel takes seconds, so few."""
    shelves = {engine: make_shelf(engine) for engine in ("fork", "kernel")}
    for engine, shelf in shelves.items():
        shelf.write("outputs/all", word="autos")
        (shelf.root / "data" / "a.txt").write_text("a", encoding="utf-8")
        shelf.write("any/leak-1", code="figures.append(open('../data/a.txt').read())" + LEAKS)
        results = shelf.build(engine=engine)
        assert {each.status for each in results.values()} == {"built"}, results
    return shelves


def test_both_engines_give_the_same_pages_figures_and_provenance_byte_for_byte(engines):
    fork, kernel = engines["fork"].reports, engines["kernel"].reports
    files = sorted(path.relative_to(fork) for path in fork.rglob("*.*"))

    assert len(files) == 2 * 4 + len(SITE_FILES)
    for name in files:
        assert (fork / name).read_bytes() == (kernel / name).read_bytes(), name


def test_every_kind_of_output_is_shown_as_a_kernel_gives_it(engines):
    page = engines["fork"].read("outputs/all.html")

    for shown in ("only this shows", "after", "kept", "bundle", "its own", "awaited", "captured 1"):
        assert f"<p>{shown}</p>" in page
    for hidden in ("before", "cleared", "quiet", "captured too"):
        assert f"<p>{hidden}</p>" not in page
    assert "<td>…" in page or "<td>..." in page
    assert "__main__" in page


def test_both_engines_see_the_same_files_read(engines):
    for shelf in engines.values():
        assert '"data/a.txt": "' in shelf.read("any/leak-1.json")


def test_a_page_leaves_nothing_behind_for_the_next(engines):
    shelf = engines["fork"]
    for number in (2, 3):
        shutil.copyfile(shelf.reports / "any/leak-1.yml", shelf.reports / f"any/leak-{number}.yml")
    shelf.build(jobs=1)

    first, *others = (shelf.read(f"any/leak-{n}.csv") for n in (1, 2, 3))

    assert others == [first, first]
    assert first.splitlines()[1:5] == ["a", "clean", "default", "clean"]
    assert first.splitlines()[5] == "notebooks"
    assert "leaked" not in first
