"""Page specs in, pages out; a page that fails leaves the last good one."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from tradegap.errors import SpecError
from tradegap.specs import check_specs, read_specs


def test_a_page_gives_html_and_its_figures_as_csv_beside_it(built):
    assert built.read("tiny/first.csv") == "word,number,zone\nautos,0,UTC\nautos,1,UTC\n"
    assert built.read("tiny/second.csv").count("beef") == 3
    assert "<title>Page first" in built.read("tiny/first.html")


def test_a_page_shows_text_and_rich_outputs_and_neither_code_nor_printed_text(built):
    page = built.read("tiny/first.html")

    assert '<html lang="en">' in page
    assert page.count("<main") == 1
    assert "How far is first?" in page
    assert "<h2>Where it stands</h2>" in page
    assert "<p>nothing runs here</p>" in page
    for hidden in ("import os", "printed text", "a warning", "In [", "¶", "Figures</p>,"):
        assert hidden not in page


def test_warnings_and_printed_text_go_to_the_log(built):
    log = (built.root / "build" / "logs" / "tiny" / "first.log").read_text(encoding="utf-8")

    assert "a warning" in log
    assert "printed text" in log


def test_a_page_says_how_to_reproduce_it(built):
    footer = built.read("tiny/first.html").split("<footer")[1]

    assert "make reports" in footer
    assert "reports/tiny/first.yml" in footer
    assert re.search(r"word.*autos", footer)


def test_a_page_runs_nothing_but_our_script_and_fetches_nothing_else(built):
    for path in built.reports.rglob("*.html"):
        page = path.read_text(encoding="utf-8")
        depth = "../" * (len(path.relative_to(built.reports).parts) - 1)
        assert "default-src 'none'; script-src 'self'; style-src 'unsafe-inline'; img-src" in page
        assert page.count(f'<script defer="" src="{depth}assets/live.js"></script>') == 1
        assert page.count("<script") == 1
        assert not re.search(r"<link(?! rel=.alternate)|<iframe|\son\w+=|src=.http|@import", page)


def test_two_charts_that_name_their_clips_alike_keep_their_own(built):
    ids = re.findall(r'<clippath id="([^"]+)"', built.read("tiny/first.html"), re.IGNORECASE)

    assert ids == ["clip", "clip-2"]
    assert 'clip-path="url(#clip-2)"' in built.read("tiny/first.html")


def test_the_same_inputs_give_the_same_bytes_in_another_folder_zone_and_umask(
    built, make_shelf, monkeypatch
):
    elsewhere = make_shelf("elsewhere")
    shutil.copytree(built.reports, elsewhere.reports, ignore=shutil.ignore_patterns("*.[hc]*"))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    mask = os.umask(0o077)

    elsewhere.build()
    os.umask(mask)

    published = {p.relative_to(built.reports): p for p in built.reports.rglob("*.*")}
    rebuilt = {p.relative_to(elsewhere.reports): p for p in elsewhere.reports.rglob("*.*")}
    assert rebuilt.keys() == published.keys()
    for name, path in published.items():
        assert rebuilt[name].read_bytes() == path.read_bytes(), name
    # No folder, file name of a temporary cell, or day of the build is left in a page.
    assert not re.search(r"ipykernel|/tmp/|20\d\d-\d\d-\d\d", built.read("tiny/first.html"))


def test_a_page_whose_inputs_have_not_changed_is_not_built_again(built):
    stamp = (built.reports / "tiny" / "first.html").stat().st_mtime_ns

    results = built.build()

    assert {result.status for result in results.values()} == {"current"}
    assert (built.reports / "tiny" / "first.html").stat().st_mtime_ns == stamp


def test_a_failed_page_keeps_its_last_good_version_and_the_others_are_built(broken):
    shelf, results, before = broken

    assert results["tiny/first"].status != "failed"
    assert results["tiny/second"].status == "failed"
    assert shelf.read("tiny/second.html") == before["second.html"]
    assert shelf.read("tiny/second.csv") == before["second.csv"]


def test_a_failed_page_names_its_cell_and_the_reason_and_leaves_a_full_log(broken):
    shelf, results, _ = broken

    reason = results["tiny/second"].reason
    log = (shelf.root / "build" / "logs" / "tiny" / "second.log").read_text(encoding="utf-8")

    assert reason.startswith("cell 4 (raise ValueError(")
    assert reason.endswith("ValueError: the rows do not add up")
    assert "Traceback" in log
    assert "second line" in log


def test_the_index_marks_a_failed_page_as_stale_since_a_day_with_the_reason(broken):
    shelf, _, _ = broken

    index = shelf.read("index.html")

    assert re.search(r"stale since \d{1,2} [A-Z][a-z]+ 20\d\d</strong>: cell 4 ", index)
    assert "Traceback" not in index
    assert re.search(r"Page first.*?<span class=.muted.>current</span>", index, flags=re.DOTALL)


def test_a_page_that_would_run_a_script_is_refused(broken):
    shelf, results, _ = broken

    assert results["tiny/scripted"].status == "failed"
    assert "<script>" in results["tiny/scripted"].reason
    assert not (shelf.reports / "tiny" / "scripted.html").exists()


def test_a_cell_that_does_not_end_is_cut_short(broken):
    _, results, _ = broken

    assert results["tiny/slow"].status == "failed"
    assert results["tiny/slow"].reason.endswith("took longer than 1 s")
    assert results["tiny/slow"].reason.startswith("cell 3 ")


def test_a_parameter_of_the_wrong_type_stops_the_build_before_it_starts(shelf):
    shelf.write("tiny/wrong", word=5)

    with pytest.raises(SpecError, match=r"word is 5; tiny.ipynb takes a str"):
        shelf.build()


def test_nothing_half_written_is_left_in_reports(broken):
    shelf, _, _ = broken

    assert [p.name for p in shelf.reports.rglob("*") if p.name.startswith(".")] == []


def test_a_parameter_that_the_notebook_lacks_stops_the_build_before_it_starts(shelf):
    shelf.write("tiny/good", word="autos")
    shelf.write("tiny/wrong", talkz="us-japan-2019")

    with pytest.raises(SpecError) as refusal:
        shelf.build()

    assert str(refusal.value) == (
        "reports/tiny/wrong.yml: tiny.ipynb has no parameter 'talkz'; "
        "it takes word, times, breaks, scripted, seconds"
    )
    assert not (shelf.root / "build" / "runs").exists()


@pytest.mark.parametrize(
    ("page", "text", "fault"),
    [
        ("tiny/a", 'title: "x"\nquestion: [\n', "reports/tiny/a.yml:3: no YAML"),
        ("tiny/a", "- one\n", "reports/tiny/a.yml: no keys found"),
        ("tiny/a", "title: T\nquestion: Q\nparams: {}\n", "unknown key 'params'; a spec takes"),
        ("tiny/a", "title: T\n", "reports/tiny/a.yml: question is missing"),
        ("tiny/a", "title: T\nquestion: Q\nparameters: [1]\n", "parameters is no mapping"),
        ("tiny/a", "title: T\nquestion: Q\ntimeout_seconds: soon\n", "timeout_seconds is 'soon'"),
        ("tinny/a", "title: T\nquestion: Q\n", "no notebooks/tinny.ipynb"),
    ],
)
def test_a_broken_spec_is_refused_with_file_fault_and_what_would_do(shelf, page, text, fault):
    shelf.write(page, text)

    with pytest.raises(SpecError) as refusal:
        read_specs(shelf.root)

    assert len(refusal.value.faults) == 1
    assert fault in str(refusal.value)


def test_every_broken_spec_is_named_at_once(shelf):
    shelf.write("tiny/a", "title: T\n")
    shelf.write("tiny/b", "question: Q\n")

    with pytest.raises(SpecError) as refusal:
        read_specs(shelf.root)

    assert [fault.split(":")[0] for fault in refusal.value.faults] == [
        "reports/tiny/a.yml",
        "reports/tiny/b.yml",
    ]


def test_a_date_in_a_spec_reaches_the_notebook_as_it_was_written(shelf):
    shelf.write("tiny/a", "title: T\nquestion: Q\nparameters:\n  word: 2019-08-21\n")

    (spec,) = read_specs(shelf.root)

    assert spec.parameters == {"word": "2019-08-21"}


@pytest.fixture(scope="session")
def harmed(make_shelf):
    """The results of pages that come to harm, each in its own way, beside one that does not."""
    shelf = make_shelf("harmed")
    shelf.write("any/killed", code="import os; os.kill(os.getpid(), 9)")
    shelf.write("any/left", code="import os; os._exit(3)")
    shelf.write("any/swollen", code="held = bytearray(3 << 30)")
    shelf.write("any/second", code="x = 1\nraise ValueError('second line')")
    shelf.write("any/exits", code="import sys; sys.exit(2)")
    shelf.write("any/good", code="figures.append(1)")
    with (shelf.reports / "any" / "swollen.yml").open("a", encoding="utf-8") as spec:
        spec.write("memory_mb: 1500\n")
    return shelf, {name.split("/")[1]: result for name, result in shelf.build().items()}


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("killed", "cell 2 (figures = []): its process was killed by signal 9"),
        ("left", "cell 2 (figures = []): its process ended with 3"),
        ("swollen", "cell 2 (exec(code)): took more than 1500 MB"),
        ("second", "cell 2 (exec(code)): ValueError: second line"),
        ("exits", "cell 2 (figures = []): SystemExit: 2"),
    ],
)
def test_a_page_that_comes_to_harm_says_in_a_line_where_and_how(harmed, page, reason):
    shelf, results = harmed

    assert results[page].status == "failed"
    assert results[page].reason == reason
    assert reason in (shelf.root / "build" / "logs" / "any" / f"{page}.log").read_text("utf-8")


def test_harm_to_one_page_is_no_harm_to_another(harmed):
    _, results = harmed

    assert results["good"].status == "built"


@pytest.mark.parametrize(
    ("parameters", "fault"),
    [
        ({"whos": "all"}, "no parameter 'whos'; did you mean 'whose'? it takes code, whose, until"),
        ({"whose": "note"}, "whose is 'note'; any.ipynb takes one of all, notes; did you mean"),
        ({"until": "2019-02-30"}, "until is '2019-02-30'; any.ipynb takes a day, as YYYY-MM-DD"),
        ({"count": True}, "count is True; any.ipynb takes a int"),
        ({"count": "five"}, "count is 'five'; any.ipynb takes a int"),
    ],
)
def test_a_parameter_that_the_notebook_does_not_take_so_is_refused_with_what_would_do(
    shelf, parameters, fault
):
    shelf.write("any/a", **parameters)
    (spec,) = read_specs(shelf.root)

    with pytest.raises(SpecError) as refusal:
        check_specs([spec])

    assert str(refusal.value).startswith("reports/any/a.yml: ")
    assert fault in str(refusal.value)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("01234", "01234"),
        ("12:30", "12:30"),
        ("2019-08-21", "2019-08-21"),
        ("1234", 1234),
        ("-1.5", -1.5),
        ("true", True),
    ],
)
def test_a_value_in_a_spec_is_what_it_looks_like(shelf, written, meant):
    shelf.write("any/a", f"title: T\nquestion: Q\nparameters:\n  code: {written}\n")

    (spec,) = read_specs(shelf.root)

    assert spec.parameters == {"code": meant}
    assert type(spec.parameters["code"]) is type(meant)


def test_a_day_that_no_calendar_has_is_refused_with_its_file(shelf):
    shelf.write("any/a", "title: T\nquestion: Q\nparameters:\n  until: 2019-02-30\n")

    with pytest.raises(SpecError, match=r"reports/any/a.yml: no YAML \(day is out of range"):
        read_specs(shelf.root)


def test_a_report_build_does_not_import_jupyterlab(built):
    code = (
        "import sys, nbformat; from pathlib import Path; from tradegap import build, pages, specs;"
        "root = Path(sys.argv[1]); spec = specs.read_specs(root)[0]; specs.check_specs([spec]);"
        "run = nbformat.read(root / 'build/runs/tiny/first.ipynb', as_version=4);"
        "pages.render_page(spec, run);"
        "print({'jupyterlab', 'jupyterlab_server', 'jupyter_server'} & set(sys.modules))"
    )

    run = subprocess.run(
        [sys.executable, "-c", code, str(built.root)], capture_output=True, text=True, check=True
    )

    assert run.stdout.strip() == "set()"
    assert "jupyterlab imported: False" in built.read("tiny/first.html")
