"""What is published is what the inputs give; a difference is named."""

from __future__ import annotations

import json
import shutil

import pytest

from tradegap.specs import read_specs
from tradegap.verify import check_notebook, compare_files, verify_pages


@pytest.fixture
def published(built, shelf):
    """A shelf as a fresh clone has it: specs and published pages, no build folder."""
    shutil.copytree(built.reports, shelf.reports)
    return shelf


def test_verify_names_every_page_that_differs_and_its_first_figure(published):
    page, figures = (published.reports / "tiny" / f"first{s}" for s in (".html", ".csv"))
    page.write_text(published.read("tiny/first.html").replace("a link", "a lynx"), encoding="utf-8")
    figures.write_text(published.read("tiny/first.csv").replace("1,UTC", "9,UTC"), encoding="utf-8")
    (published.reports / "tiny" / "second.csv").unlink()
    (published.reports / "tiny" / "orphan.html").write_text("<p>left over</p>", encoding="utf-8")

    faults = verify_pages(published.root)

    assert len(faults) == 4
    assert faults[0] == (
        "reports/tiny/first.csv: row 3 (autos), column number: published '9', rebuilt '1'"
    )
    assert faults[1].startswith("reports/tiny/first.html: line ")
    assert "under 'Where it stands'" in faults[1]
    assert "a lynx" in faults[1]
    assert faults[2] == "reports/tiny/second.csv: is not published; run make reports"
    assert faults[3].startswith("reports/tiny/orphan.html: no spec builds it")

    first = [spec for spec in read_specs(published.root) if spec.page == "tiny/first"]
    assert verify_pages(published.root, first) == faults[:2]


@pytest.mark.parametrize(
    ("name", "old", "new", "said"),
    [
        ("a.csv", "issue,gap\nautos,1\n", "issue,gap\n", "row 2 is only in the published file"),
        ("a.csv", "issue,gap\n", "issue,gap\r\n", "the same figures in other bytes"),
        ("a.html", '<p class="a">x</p>', '<p class="b">x</p>', "line 1: published '<p class"),
        ("a.html", "<p>one</p>", "<p>one</p>\n<p>two</p>", "line 1"),
    ],
)
def test_the_first_difference_is_told_in_a_line(tmp_path, name, old, new, said):
    before, after = tmp_path / "before", tmp_path / "after"
    before.write_bytes(old.encode())
    after.write_bytes(new.encode())

    line = compare_files(before, after, name=name)

    assert said in line
    assert "\n" not in line


def test_a_stripped_notebook_with_one_parameters_cell_is_sound(built):
    assert check_notebook(built.root / "notebooks" / "tiny.ipynb") == []


def test_stored_outputs_and_a_second_parameters_cell_are_refused(built, tmp_path):
    notebook = json.loads((built.root / "notebooks" / "tiny.ipynb").read_text(encoding="utf-8"))
    notebook["cells"][2]["execution_count"] = 1
    notebook["cells"][3]["metadata"]["tags"] = ["parameters"]
    path = tmp_path / "tiny.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")

    faults = check_notebook(path)

    assert len(faults) == 2
    assert "cell 3 holds outputs or counts" in faults[0]
    assert "2 cells are tagged parameters" in faults[1]
