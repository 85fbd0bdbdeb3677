"""A page is current while everything that it was made of is as it was, by content."""

from __future__ import annotations

import json
import os
import py_compile
import shutil
import subprocess
import sys

import pytest

from tradegap.build import build_pages, explain_page, judge_pages
from tradegap.site import SITE_FILES
from tradegap.specs import read_specs

READ = """
from pathlib import Path
data = Path("../data")
figures += sorted(each.name for each in (data / "talks" / "{talks}").glob("*.md"))
figures += [each.read_text() for each in sorted((data / "talks" / "{talks}").glob("*.md"))]
figures.append((data / "extra.csv").is_file())
"""


@pytest.fixture(scope="session")
def made(make_shelf):
    """A shelf with a page on each of two talks. A test works on a copy."""
    shelf = make_shelf("made")
    for talks in ("a", "b"):
        folder = shelf.root / "data" / "talks" / talks
        folder.mkdir()
        (folder / "one.md").write_text(f"one of {talks}", encoding="utf-8")
        shelf.write(f"any/{talks}", code=READ.format(talks=talks))
    results = shelf.build()
    assert {each.status for each in results.values()} == {"built"}, results
    return shelf


@pytest.fixture
def copy(made, shelf):
    """A copy of the project, in another folder, without its build folder: a fresh clone."""
    shutil.copytree(made.root, shelf.root, dirs_exist_ok=True)
    shutil.rmtree(shelf.root / "build")
    return shelf


def judge(shelf) -> dict[str, str]:
    return {each.page: each.status for each in judge_pages(read_specs(shelf.root), root=shelf.root)}


def explain(shelf, page) -> str:
    (spec,) = (each for each in read_specs(shelf.root) if each.page == page)
    return "\n".join(explain_page(spec, root=shelf.root))


def test_a_fresh_clone_without_a_build_folder_knows_which_pages_are_current(copy):
    assert judge(copy) == {"any/a": "current", "any/b": "current"}
    assert "any/a: current" in explain(copy, "any/a")


def test_a_time_stamp_makes_no_page_stale(copy):
    for path in copy.root.rglob("*.*"):
        os.utime(path, (0, 0))

    assert set(judge(copy).values()) == {"current"}


def test_a_new_document_makes_only_the_pages_stale_that_read_its_folder(copy):
    (copy.root / "data" / "talks" / "a" / "two.md").write_text("two", encoding="utf-8")

    assert judge(copy) == {"any/a": "stale", "any/b": "current"}
    assert "data/talks/a/two.md: new" in explain(copy, "any/a")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda root: (root / "data/talks/a/one.md").write_text("x"), "a/one.md: changed"),
        (lambda root: (root / "data/talks/a/one.md").unlink(), "a/one.md: gone"),
        (lambda root: (root / "data/extra.csv").touch(), "data/extra.csv: new"),
        (lambda root: (root / "requirements.lock").touch(), "requirements.lock: new"),
        (lambda root: (root / "reports/any/a.csv").write_text("x"), "any/a.csv: edited by hand"),
        (lambda root: (root / "reports/any/a.csv").unlink(), "any/a.csv: gone"),
        (lambda root: (root / "reports/any/a.json").unlink(), "any/a.json: not there"),
        (lambda root: (root / "reports/any/a.json").write_text("{"), "any/a.json: not there"),
        (
            lambda root: edit(root / "reports/any/a.yml", "Page a", "A"),
            "reports/any/a.yml: changed",
        ),
        (
            lambda root: edit(root / "notebooks/any.ipynb", "how many", "number"),
            "notebooks/any.ipynb: changed",
        ),
    ],
)
def test_what_a_page_was_made_of_makes_it_stale_when_it_changes(copy, change, said):
    change(copy.root)

    assert judge(copy)["any/a"] == "stale"
    assert said in explain(copy, "any/a")


def edit(path, old, new) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("name", ["unread.csv", "talks/a/.scratch.md", "talks/c"])
def test_what_a_page_did_not_read_makes_it_not_stale(copy, name):
    (copy.root / "data" / name).mkdir()

    assert set(judge(copy).values()) == {"current"}


def test_how_a_spec_is_written_makes_no_page_stale(copy):
    spec = copy.reports / "any" / "a.yml"
    spec.write_text("# a comment\n" + spec.read_text(encoding="utf-8"), encoding="utf-8")

    assert judge(copy)["any/a"] == "current"


def test_provenance_names_nothing_of_the_machine(made):
    for path in made.reports.glob("*/*.json"):
        record = json.loads(path.read_text(encoding="utf-8"))
        assert str(made.root) not in path.read_text(encoding="utf-8")
        assert not [name for name in record["read"] if name.startswith(("/", ".."))]


def test_a_page_that_never_was_is_told_from_one_that_is_stale(copy):
    copy.write("any/c")

    assert judge(copy)["any/c"] == "never built"


def test_two_hundred_current_pages_are_known_within_a_second_and_nothing_is_written(copy, made):
    record = json.loads(made.read("any/a.json"))
    for number in range(200):
        copy.write(f"any/p{number}", code=READ.format(talks="a"))
    for spec in read_specs(copy.root):
        name = spec.page.split("/")[1]
        if name.startswith("p"):
            as_page(copy, record, name, spec)
    before = {path: path.stat().st_mtime_ns for path in copy.reports.rglob("*")}
    code = (
        "import sys, time; began = time.perf_counter()\n"
        "from tradegap import cli\n"
        "try: cli.main(['build'])\nexcept SystemExit: pass\n"
        "heavy = {'pandas', 'papermill', 'nbconvert', 'altair', 'IPython'} & set(sys.modules)\n"
        "print(time.process_time(), heavy)"
    )
    environment = os.environ | {"TRADEGAP_ROOT": str(copy.root)}

    subprocess.run([sys.executable, "-c", code], env=environment, check=True)  # writes the index
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    said, told = run.stdout.splitlines()
    assert said.startswith("0 built, 202 current, 0 failed")
    assert float(told.split()[0]) < 1
    assert told.endswith("set()")
    around = {copy.reports / name for name in SITE_FILES}
    after = {
        path: path.stat().st_mtime_ns for path in copy.reports.rglob("*") if path not in around
    }
    assert {path: stamp for path, stamp in before.items() if path in after} == after


def as_page(copy, record, name, spec) -> None:
    """Publish page a again under another name, with its provenance."""
    from tradegap.provenance import list_makings, list_shared

    made_of = list_makings(spec, copy.root, list_shared(copy.root))
    outputs = {each.replace("a.", f"{name}."): sha for each, sha in record["outputs"].items()}
    for suffix in (".csv", ".html"):
        shutil.copyfile(copy.reports / f"any/a{suffix}", copy.reports / f"any/{name}{suffix}")
    told = json.dumps({"made_of": made_of, "read": record["read"], "outputs": outputs})
    (copy.reports / "any" / f"{name}.json").write_text(told, encoding="utf-8")


def test_an_input_that_changes_while_a_page_is_made_fails_the_page(shelf):
    source = shelf.root / "data" / "a.txt"
    source.write_text("old", encoding="utf-8")
    code = "from pathlib import Path; it = Path('../data/a.txt'); it.read_text(); "
    shelf.write("any/a", code=f"{code}it.write_text('new')")

    (result,) = build_pages(read_specs(shelf.root), root=shelf.root)

    assert result.status == "failed"
    assert result.reason.startswith("data/a.txt: changed while the page was made")
    assert not (shelf.reports / "any" / "a.html").exists()


def test_a_module_beside_the_notebook_counts_even_where_python_has_it_compiled(shelf):
    module = shelf.root / "notebooks" / "beside.py"
    module.write_text("figure = 1\n", encoding="utf-8")
    assert py_compile.compile(str(module))
    shelf.write("any/a", code="import beside; figures.append(beside.figure)")
    shelf.build()

    module.write_text("figure = 22\n", encoding="utf-8")

    assert "notebooks/beside.py: changed" in explain(shelf, "any/a")
    assert 'notebooks/"' not in shelf.read("any/a.json")
