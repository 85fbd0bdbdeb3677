"""The command line: quick to answer, one line a fault, never a traceback for a user's mistake."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tradegap import cli

STORY = (
    "Envoys leave Ottawa without a deal\n\n"
    "Japan and the United States remain far apart on beef, the Japanese envoy said on Tuesday.\n"
)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project folder with one negotiation and nothing else, as the working directory."""
    folder = tmp_path / "project" / "data" / "talks" / "us-japan-2019"
    folder.mkdir(parents=True)
    (folder / "negotiation.yml").write_text("title: Talks\n", encoding="utf-8")
    monkeypatch.setenv("TRADEGAP_ROOT", str(tmp_path / "project"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "project"


@pytest.fixture
def tradegap(capsys):
    """Run a command line; give its exit code, its output and its complaints."""

    def run(*arguments: object) -> tuple[int, str, str]:
        code = 0
        try:
            cli.main([str(argument) for argument in arguments])
        except SystemExit as end:
            code = int(end.code or 0)
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return run


def test_help_lists_every_command_and_imports_none_of_the_heavy_packages():
    heavy = "{'pandas', 'papermill', 'nbconvert', 'altair', 'jupyterlab'}"
    code = (
        "import sys; from tradegap import cli\ntry: cli.main(['--help'])\nexcept SystemExit: pass\n"
        f"print(sorted({heavy} & set(sys.modules)))"
    )

    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip().endswith("[]")
    for command in (
        "add",
        "brief",
        "build",
        "check",
        "code",
        "explain",
        "score",
        "status",
        "verify",
    ):
        assert f"\n  {command} " in run.stdout


def test_version_is_the_one_installed(tradegap):
    from importlib.metadata import version

    assert tradegap("--version") == (0, f"tradegap {version('tradegap')}\n", "")


def test_code_prints_one_signal_a_line_whose_text_is_the_files_own(tradegap, tmp_path):
    story = tmp_path / "story.txt"
    story.write_text(STORY, encoding="utf-8")

    code, out, _ = tradegap("code", story, "--published", "2019-08-21")

    signals = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert signals
    for signal in signals:
        assert signal["text"] == STORY[signal["start"] : signal["end"]]
        assert signal["document"] == str(story)
        assert signal["published"] == "2019-08-21"


@pytest.mark.parametrize("form", ["csv", "table"])
def test_code_prints_the_same_signals_as_a_table(tradegap, tmp_path, form):
    story = tmp_path / "story.txt"
    story.write_text(STORY, encoding="utf-8")

    code, out, _ = tradegap("code", story, "--published", "2019-08-21", "--format", form)

    assert code == 0
    assert out.splitlines()[0].replace(",", " ").split()[0] in ("document", "direction")


def test_a_refused_document_is_named_and_the_others_are_coded(tradegap, tmp_path):
    story, absent = tmp_path / "story-2019-08-21.txt", tmp_path / "absent.txt"
    story.write_text(STORY, encoding="utf-8")

    code, out, err = tradegap("code", absent, story)

    assert code == 1
    assert out
    assert len(err.splitlines()) == 1
    assert "absent.txt" in err


def test_add_takes_good_files_and_refuses_the_rest_with_a_reason(tradegap, project, tmp_path):
    good, empty = tmp_path / "story-2019-08-21.txt", tmp_path / "empty-2019-08-21.txt"
    good.write_text(STORY, encoding="utf-8")
    empty.write_text("", encoding="utf-8")

    code, out, err = tradegap("add", "us-japan-2019", empty, good)

    assert code == 1
    assert out.startswith("added ")
    assert "empty" in err
    kept = project / "data" / "talks" / "us-japan-2019" / "private"
    assert [path.suffix for path in kept.glob("*.txt")] == [".txt"]


GERMAN = "Die Unterhändler sind sich über die Zölle auf Rindfleisch noch nicht einig geworden.\n"


def test_a_text_that_is_not_english_is_named_and_the_others_are_coded(tradegap, tmp_path):
    story, german = tmp_path / "a-2019-08-21.txt", tmp_path / "b-2019-08-21.txt"
    story.write_text(STORY, encoding="utf-8")
    german.write_text(GERMAN, encoding="utf-8")

    code, out, err = tradegap("code", story, german)

    assert code == 1
    assert {json.loads(line)["document"] for line in out.splitlines()} == {str(story)}
    assert err == f"{german}: no English prose found; nothing is coded in it\n"


def test_a_sentence_too_long_to_be_one_is_named_and_the_rest_is_coded(tradegap, tmp_path):
    story = tmp_path / "a-2019-08-21.txt"
    story.write_text(STORY + "\n\n" + "of rice and " * 5000, encoding="utf-8")

    code, out, err = tradegap("code", story)

    assert (code, bool(out)) == (0, True)
    assert len(err.splitlines()) == 1
    assert err.startswith(f"{story}: a sentence at character {len(STORY) + 2}, of ")


def test_a_text_that_is_not_english_is_added_with_a_warning(tradegap, project, tmp_path):
    german = tmp_path / "b-2019-08-21.txt"
    german.write_text(GERMAN, encoding="utf-8")

    code, out, err = tradegap("add", "us-japan-2019", german)

    assert (code, out[:6]) == (0, "added ")
    assert err == "private/2019-08-21-b.txt: no English prose found; nothing is coded in it\n"


def test_a_text_that_is_not_english_gets_no_brief(tradegap, project, tmp_path):
    german = tmp_path / "b-2019-08-21.txt"
    german.write_text(GERMAN, encoding="utf-8")

    code, out, err = tradegap("brief", german)

    assert (code, out) == (1, "")
    assert err == f"{german}: no English prose found; nothing is coded in it\n"


def test_a_negotiation_that_is_not_there_is_refused_with_those_that_are(tradegap, project):
    code, _, err = tradegap("add", "us-japan", "story.txt")

    assert code == 1
    assert err == "data/talks/us-japan: no negotiation; there are us-japan-2019\n"


def test_a_page_that_is_not_there_is_refused(tradegap, project):
    code, _, err = tradegap("build", "gap_evolution/nowhere")

    assert code == 1
    assert err == "there is no page gap_evolution/nowhere; there are none\n"


def test_a_broken_spec_stops_the_build_in_one_line(tradegap, project):
    (project / "reports" / "tiny").mkdir(parents=True)
    (project / "reports" / "tiny" / "a.yml").write_text("title: [\n", encoding="utf-8")

    code, out, err = tradegap("build")

    assert (code, out) == (1, "")
    assert err.startswith("reports/tiny/a.yml:2: no YAML")
    assert len(err.splitlines()) == 1


def test_score_says_in_one_line_that_the_development_sets_are_absent(tradegap, project):
    code, out, err = tradegap("score")

    assert (code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "../shared/gold" in err


def test_a_wrong_option_is_told_with_the_usage(tradegap, tmp_path):
    code, _, err = tradegap("code", tmp_path, "--published", "yesterday")

    assert code == 2
    assert "yesterday" in err


def test_a_reader_that_leaves_early_hears_no_complaint(tmp_path):
    story = tmp_path / "story.txt"
    story.write_text(STORY * 100, encoding="utf-8")
    command = f"{sys.executable} -m tradegap.cli code {story} --published 2019-08-21 | head -n 1"

    run = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)

    assert len(run.stdout.splitlines()) == 1
    assert run.stderr == ""


@pytest.fixture
def page(project):
    """A page that was published, and what it was made of."""
    from tradegap.provenance import hash_bytes, list_makings, list_shared
    from tradegap.specs import read_specs

    (project / "notebooks").mkdir()
    (project / "notebooks" / "tiny.ipynb").write_text("{}", encoding="utf-8")
    folder = project / "reports" / "tiny"
    folder.mkdir(parents=True)
    (folder / "a.yml").write_text("title: A\nquestion: Q\n", encoding="utf-8")
    (spec,) = read_specs(project)
    note = project / "data" / "note.md"
    note.write_text("a note", encoding="utf-8")
    for suffix in (".html", ".csv"):
        (folder / f"a{suffix}").write_bytes(b"x")
    record = {
        "made_of": list_makings(spec, project, list_shared(project)),
        "read": {"data/note.md": hash_bytes(b"a note")},
        "outputs": {"a.html": hash_bytes(b"x"), "a.csv": hash_bytes(b"x")},
    }
    (folder / "a.json").write_text(json.dumps(record), encoding="utf-8")
    return note


def test_status_and_explain_say_how_a_page_stands_and_name_the_file(tradegap, page):
    before = tradegap("status"), tradegap("explain", "tiny/a")
    page.write_text("another note", encoding="utf-8")
    after = tradegap("status"), tradegap("explain", "tiny/a")

    assert before[0] == (0, "current     tiny/a\n", "")
    assert before[1][1].startswith("tiny/a: current; all 5 things")
    assert after[0] == (0, "stale       tiny/a\n", "")
    assert after[1][1] == "tiny/a: stale; it would be built\n  data/note.md: changed\n"


def test_a_quiet_build_of_current_pages_says_nothing(tradegap, page):
    assert tradegap("build", "--quiet") == (0, "", "")
    assert tradegap("build")[1] == "0 built, 1 current, 0 failed; see reports/index.html\n"


def test_a_page_is_written_as_one_file_where_that_is_asked_for(tradegap, page, project):
    code, out, err = tradegap("build", "--standalone", "--quiet")

    path = project / "build" / "standalone" / "tiny" / "a.html"
    assert (code, out, err) == (0, f"{path}\n", "")
    assert path.is_file()


def test_a_page_that_is_not_there_cannot_be_printed(tradegap, page, project):
    (project / "reports" / "tiny" / "a.html").unlink()

    line = "reports/tiny/a.html: not there; run tradegap build tiny/a\n"
    assert tradegap("pdf", "tiny/a") == (1, "", line)


def test_a_build_while_another_is_under_way_stops_with_one_line(tradegap, page, project):
    from tradegap.publish import hold

    with hold(project / "build"):
        code, out, err = tradegap("build")

    assert (code, out) == (1, "")
    assert err.endswith("build: another build is under way there; wait for it, or end it\n")
    assert len(err.splitlines()) == 1


def test_progress_is_a_line_a_page_or_on_a_terminal_one_line_that_changes(capsys):
    from tradegap.build import Result
    from tradegap.progress import Progress

    ticks = iter(range(100))
    for is_terminal in (False, True):
        progress = Progress(3, "logs", is_terminal=is_terminal, clock=lambda: next(ticks) / 1)
        for status in ("running", "built"):
            progress.report(Result("tiny/a", status, "cell 1 (x)"))
        progress.report(Result("tiny/b", "running", "cell 2 (y)"))
        progress.report(Result("tiny/b", "failed", "cell 2 (y): no"))
        progress.close()

    out, err = capsys.readouterr()
    assert out.count("built   tiny/a\n") == 2
    assert out.count("1 built, 0 current, 1 failed") == 2
    assert err.count("failed  tiny/b: cell 2 (y): no\n") == 2
    assert "\r1 of 3 done, 1 running, about 4 s left: tiny/b, cell 2 (y)" in err
