"""What changed between two builds is told as a reader would find it."""

from __future__ import annotations

import json
import shutil
import subprocess

import pytest

from tradegap.cli import main
from tradegap.diff import compare_figures, compare_sides, find_key, render_diff, tell_diff
from tradegap.errors import PageError
from tradegap.pages import _active_parts

CHART = """
<h2>How far</h2><svg aria-label="Gap. {gap}."><path d="M0,{gap}"/><a><title>beef, {gap}</title></a>
<title>autos, 0.9</title></svg>
"""


@pytest.fixture
def sides(built, tmp_path):
    """Two copies of the published pages, with a chart that says its figures."""
    for side in ("old", "new"):
        shutil.copytree(built.reports, tmp_path / side)
        page = tmp_path / side / "tiny" / "first.html"
        edit(page, "<h2>Where it stands</h2>", CHART.format(gap=0.4) + "<h2>Where it stands</h2>")
    return tmp_path / "old", tmp_path / "new"


def edit(path, old, new) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def tell(sides) -> list[str]:
    return list(tell_diff(*compare_sides(*sides)))


def test_two_builds_of_the_same_are_the_same(sides):
    assert tell(sides) == ["0 new, 0 gone, 0 changed, 2 as before"]


def test_bytes_that_no_reader_sees_are_no_change(sides):
    page = sides[1] / "tiny" / "first.html"
    edit(page, "<main", "<!-- unseen -->\n\n<main")
    edit(page, "--rule", "--ruler")

    assert tell(sides) == ["0 new, 0 gone, 0 changed, 2 as before"]


def test_figures_are_told_by_the_key_of_their_row_the_furthest_first(sides):
    for side, rows in zip(sides, ("a,1,.5 b,2,.5 c,3,.5", "c,3,.6 a,1,.9 d,4,.5"), strict=True):
        path = side / "tiny" / "first.csv"
        path.write_text("id,number,gap\n" + rows.replace(" ", "\n") + "\n", encoding="utf-8")

    assert tell(sides)[:8] == [
        "tiny/first: changed",
        "  Rows: 1 new, 1 gone",
        "    - b, 2, .5",
        "    + d, 4, .5",
        "  Figures: gap: 2 of 2 moved",
        "    a: .5 → .9",
        "    c: .5 → .6",
        "0 new, 0 gone, 1 changed, 1 as before",
    ]


def test_figures_of_a_declared_table_go_by_its_declared_key():
    columns = ["issue_id", "on", "view", "gap", "gap_low", "gap_high", "status", "signals"]

    assert find_key(columns) == ["issue_id", "on", "view"]


def test_rows_that_nothing_tells_apart_are_counted():
    (part,) = compare_figures(b"a,b\n1,1\n1,1\n", b"a,b\n1,1\n1,1\n1,1\n")

    assert (part.title, part.count) == ("Rows", "1 new")


def test_a_column_that_came_is_named_and_the_others_are_compared():
    parts = {part.title: part for part in compare_figures(b"id,a\nx,1\n", b"id,b,a\nx,7,2\n")}

    assert parts["Columns"].changes[0].after == "b"
    assert parts["Figures: a"].count == "1 of 1 moved"


def test_a_chart_whose_data_changed_is_told_by_what_its_marks_say(sides):
    edit(sides[1] / "tiny" / "first.html", "0.4", "0.7")

    assert tell(sides)[1:6] == [
        "  Chart under “How far”: 2 labels, drawn otherwise",
        "    - Gap. 0.4.",
        "    + Gap. 0.7.",
        "    - beef, 0.4",
        "    + beef, 0.7",
    ]


def test_a_chart_that_is_only_drawn_otherwise_says_so_and_one_that_went_is_named(sides):
    page = sides[1] / "tiny" / "first.html"
    edit(page, "M0,0.4", "M1,0.4")
    again = "\n".join(tell(sides))
    edit(page, CHART.format(gap=0.4).replace("M0", "M1"), "<h2>How far</h2>")

    assert "Chart under “How far”: says the same, drawn otherwise" in again
    assert "  Chart under “How far”: gone" in tell(sides)


def test_text_that_changed_is_told_under_its_heading_word_by_word(sides):
    page = sides[1] / "tiny" / "first.html"
    edit(page, "A plain sentence with", "A simple sentence with")
    edit(page, "<p>nothing runs here</p>", "")

    diffs, same = compare_sides(*sides)
    told = "\n".join(tell_diff(diffs, same))
    shown = render_diff(diffs, same, before="old", after="new")

    assert "  Text under “Where it stands”: 2 passages" in told
    assert "    - A plain sentence with" in told
    assert "    + A simple sentence with" in told
    assert "    - nothing runs here" in told
    assert "A <del>plain</del> sentence with" in shown
    assert "A <ins>simple</ins> sentence with" in shown


def test_pages_that_came_and_went_are_named_and_what_a_page_is_made_of(sides):
    for side, page in zip(sides, ("second", "third"), strict=True):
        for path in (side / "tiny").glob("second.*"):
            path.rename(path.with_name(path.name.replace("second", page)))
    edit(sides[1] / "tiny" / "first.html", "0.4", "0.7")
    record = json.loads((sides[1] / "tiny" / "first.json").read_text(encoding="utf-8"))
    record["read"]["data/a.txt"] = "0"
    (sides[1] / "tiny" / "first.json").write_text(json.dumps(record), encoding="utf-8")

    told = tell(sides)

    assert "  Made of: data/a.txt: new" in told
    assert told[-3:] == [
        "tiny/second: gone",
        "tiny/third: new",
        "1 new, 1 gone, 1 changed, 0 as before",
    ]


def test_the_page_of_changes_runs_nothing_and_keeps_what_pages_say_as_text(sides):
    edit(sides[1] / "tiny" / "first.csv", "autos", "<script>x</script>")

    shown = render_diff(*compare_sides(*sides), before="<b>", after="new")

    assert "&lt;script&gt;" in shown
    assert _active_parts(shown) == []


def test_a_folder_without_pages_and_a_page_without_text_are_refused_in_a_line(sides, tmp_path):
    with pytest.raises(PageError, match=r"empty: no pages there; a page is <notebook>/<name>.html"):
        compare_sides(sides[0], tmp_path / "empty")
    (sides[1] / "tiny" / "first.html").write_bytes(b"\xff")

    with pytest.raises(PageError, match="tiny/first: cannot be read"):
        compare_sides(*sides)


@pytest.fixture
def committed(built, shelf, monkeypatch):
    """A project under git with its pages committed, as the one to work in."""
    shutil.copytree(built.reports, shelf.reports)
    monkeypatch.setenv("TRADEGAP_ROOT", str(shelf.root))
    monkeypatch.chdir(shelf.root)
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    for command in (["init", "-q"], ["add", "reports"], [*who, "commit", "-qm", "Publish"]):
        subprocess.run(["git", *command], check=True)
    return shelf


def test_without_arguments_reports_is_compared_with_what_was_last_committed(committed, capsys):
    edit(committed.reports / "tiny" / "first.csv", "1,UTC", "9,UTC")

    with pytest.raises(SystemExit) as ended:
        main(["diff", "--exit-code", "--html", "build/changes.html"])

    assert ended.value.code == 3
    said = capsys.readouterr().out
    assert "    - autos, 1, UTC\n    + autos, 9, UTC\n" in said
    assert said.endswith("0 new, 0 gone, 1 changed, 1 as before\n")
    assert "What changed on the pages" in (committed.root / "build/changes.html").read_text("utf-8")


def test_a_side_that_is_neither_folder_nor_revision_is_refused_in_a_line(committed, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["diff", "no-such-branch"])

    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("no-such-branch: neither a folder of pages nor a git revision")
    assert said.count("\n") == 1
