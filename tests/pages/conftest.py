"""A shelf: a project of tiny pages, built once for all tests here. A kernel takes a second."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tradegap.browser import Browser, browsing, find_browser
from tradegap.build import Result, build_pages
from tradegap.site import build_site
from tradegap.specs import read_specs

NOTEBOOKS = Path(__file__).parent / "notebooks"


class Shelf:
    """A project folder whose specs a test can write, and build."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.reports = root / "reports"
        (root / "data" / "talks").mkdir(parents=True)
        shutil.copytree(NOTEBOOKS, root / "notebooks")

    def write(self, page: str, text: str = "", **parameters: object) -> Path:
        path = self.reports / f"{page}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        told = {k: json.dumps(v) if isinstance(v, str) else v for k, v in parameters.items()}
        lines = [f"  {name}: {value}" for name, value in told.items()]
        head = f'title: "Page {path.stem}"\nquestion: "How far is {path.stem}?"\n'
        path.write_text(text or "\n".join([head + "parameters:", *lines, ""]), encoding="utf-8")
        return path

    def build(self, **options: object) -> dict[str, Result]:
        specs = read_specs(self.root)
        results = build_pages(specs, root=self.root, **options)
        build_site(specs, root=self.root, results=results)
        return {result.page: result for result in results}

    def read(self, name: str) -> str:
        return (self.reports / name).read_text(encoding="utf-8")


@pytest.fixture
def shelf(tmp_path) -> Shelf:
    """An empty shelf, for what needs no run."""
    return Shelf(tmp_path / "shelf")


@pytest.fixture(scope="session")
def make_shelf(tmp_path_factory) -> Callable[[str], Shelf]:
    """Give a shelf that is shared by the tests of a session."""
    return lambda name: Shelf(tmp_path_factory.mktemp(name) / "project")


@pytest.fixture(scope="session")
def built(make_shelf) -> Shelf:
    """A shelf with two good pages, each built once. Tests read it and leave it as it is."""
    shelf = make_shelf("built")
    shelf.write("tiny/first", word="autos")
    shelf.write("tiny/second", word="beef", times=3)
    results = shelf.build()
    assert [result.status for result in results.values()] == ["built", "built"], results
    return shelf


@pytest.fixture(scope="session")
def broken(make_shelf, built) -> tuple[Shelf, dict[str, Result], dict[str, str]]:
    """A shelf with a good page, one that failed after it was good, and two that never were.

    Comes with the results of the failed build, and the published files before it.
    """
    shelf = make_shelf("broken")
    shutil.copytree(built.reports, shelf.reports)
    before = {p.name: p.read_text(encoding="utf-8") for p in shelf.reports.glob("tiny/*.*")}
    shelf.write("tiny/second", word="beef", breaks=True)
    shelf.write("tiny/scripted", scripted=True)
    shelf.write("tiny/slow", seconds=60)
    with (shelf.reports / "tiny" / "slow.yml").open("a", encoding="utf-8") as spec:
        spec.write("timeout_seconds: 1\n")
    return shelf, shelf.build(), before


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a session; without one they are skipped, but not in CI."""
    if find_browser() is None:
        if os.environ.get("TRADEGAP_CI"):
            pytest.fail("no chromium on this machine; .ci/run installs one")
        pytest.skip("no chromium on this machine")
    with browsing() as found:
        yield found
