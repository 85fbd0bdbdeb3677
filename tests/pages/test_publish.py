"""Whatever befalls a builder, what is published is a whole page with its own figures."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import time

import pytest

from tradegap import build as building
from tradegap.build import build_pages
from tradegap.cli import main
from tradegap.errors import BusyError
from tradegap.publish import hold, publish, recover
from tradegap.specs import read_specs
from tradegap.workers import Made

# Builds two pages over and over, each time with other bytes, by workers that need no time. Each
# builder is a fork of this warm parent, and dies by SIGKILL when the n-th line of the modules that
# build and publish is about to run, n read from standard input: a moment that no load can shift.
MORTAL = """
import os, signal, sys
from multiprocessing import Pipe
from pathlib import Path
from tradegap import build, provenance, publish
from tradegap.specs import read_specs
from tradegap.workers import Made

class Instant:
    count = 0
    def start(self, job):
        Instant.count += 1
        ours, theirs = Pipe(duplex=False)
        body = f"{version} " * 3000
        theirs.send(Made(outputs={".csv": body.encode(), ".html": body.encode()}))
        return Instant.count, ours
    def close(self):
        pass

def die_at(line):
    seen = 0
    def trace(frame, event, _):
        nonlocal seen
        if frame.f_code.co_filename not in (build.__file__, publish.__file__):
            return None
        seen += event == "line"
        if seen > line:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace
    sys.settrace(trace)

hashes = provenance.read_package()
provenance.read_package = lambda: hashes  # it takes longest, and nothing changes here
build.hire = lambda *_, **__: Instant()
build.check_specs = lambda specs: None
root = Path(sys.argv[1])
specs = read_specs(root)
version = 0
for line in sys.stdin:
    child = os.fork()
    if not child:
        die_at(int(line))
        while True:
            version += 1
            results = build.build_pages(specs, root=root, force=True)
            assert {each.status for each in results} == {"built"}, results
    version += 100
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    print("killed", flush=True)
"""


def assert_whole(folder, name) -> None:
    """Assert that the three files of a published page belong together."""
    record = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    files = [(folder / f"{name}{suffix}").read_bytes() for suffix in (".csv", ".html")]
    assert files[0] == files[1]
    assert len(set(files[0].split())) == 1
    assert len(files[0].split()) == 3000
    assert len(set(record["outputs"].values())) == 1
    from tradegap.provenance import hash_bytes

    assert hash_bytes(files[0]) in record["outputs"].values()


def test_a_builder_killed_at_any_of_a_hundred_moments_leaves_whole_pages(shelf):
    chance = random.Random(5)
    for name in ("a", "b"):
        shelf.write(f"tiny/{name}")
    folder, cut_short, whole = shelf.reports / "tiny", 0, 0
    with subprocess.Popen(
        [sys.executable, "-c", MORTAL, str(shelf.root)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as builders:
        for _ in range(100):
            builders.stdin.write(f"{chance.randrange(1500)}\n")
            builders.stdin.flush()
            assert builders.stdout.readline() == "killed\n"
            cut_short += bool(list(folder.glob(".*.part")))
            published = {path.name for path in folder.glob("[!.]*")} - {"a.yml", "b.yml"}
            assert published <= {
                f"{name}{end}" for name in "ab" for end in (".csv", ".html", ".json")
            }
            with hold(shelf.root / "build"):
                recover(shelf.reports)
            assert not list(folder.glob(".*"))
            if len(published) == 6:
                whole += 1
                for name in ("a", "b"):
                    assert_whole(folder, name)

    assert cut_short > 10
    assert whole > 10


@pytest.mark.parametrize("stop", range(8))
def test_a_page_that_was_begun_to_be_put_in_place_is_finished_and_one_that_was_not_never_was(
    tmp_path, monkeypatch, stop
):
    old, new = ({s: f"{age}{s}".encode() for s in (".csv", ".html")} for age in ("old", "new"))
    publish(tmp_path, "a", old, deed(old))
    steps = iter(range(100))

    def step(call):
        def stepped(*arguments):
            if next(steps) == stop:
                raise SystemExit
            return call(*arguments)

        return stepped

    for name in ("fsync", "replace"):
        monkeypatch.setattr(f"tradegap.publish.os.{name}", step(getattr(os, name)))
    monkeypatch.setattr("pathlib.Path.unlink", lambda path, missing_ok=False: None)
    with pytest.raises(SystemExit):
        publish(tmp_path, "a", new, deed(new))
    monkeypatch.undo()

    recover(tmp_path)

    found = {path.suffix: path.read_bytes() for path in tmp_path.glob("a.*")}
    assert found == old | {".json": deed(old)} or found == new | {".json": deed(new)}
    assert not list(tmp_path.glob(".*"))


def deed(outputs) -> bytes:
    from tradegap.provenance import hash_bytes

    told = {f"a{suffix}": hash_bytes(content) for suffix, content in outputs.items()}
    return json.dumps({"outputs": told}).encode()


class Stub:
    """Workers whose pages say at once what they have become."""

    def __init__(self, made):
        self.made, self.count = made, 0

    def start(self, job):
        from multiprocessing import Pipe

        self.count += 1
        ours, theirs = Pipe(duplex=False)
        theirs.send("cell 1 (a)")
        theirs.send(self.made[job.spec.page])
        return self.count, ours

    def close(self):
        pass


@pytest.fixture
def stub(monkeypatch):
    """Build with pages that are made at once."""

    def use(made):
        monkeypatch.setattr(building, "hire", lambda *_, **__: Stub(made))
        monkeypatch.setattr(building, "check_specs", lambda specs: None)

    return use


def test_a_full_disk_leaves_the_last_good_page_and_says_so_in_a_line(shelf, stub, monkeypatch):
    for name in ("a", "b"):
        shelf.write(f"tiny/{name}")
    stub({f"tiny/{n}": Made(outputs={".csv": b"old", ".html": b"old"}) for n in "ab"})
    shelf.build()
    fsync, fulls = os.fsync, []

    def full(descriptor):
        if b".a.html.part" in os.fsencode(os.readlink(f"/proc/self/fd/{descriptor}")):
            fulls.append(descriptor)
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr("tradegap.publish.os.fsync", full)
    stub({f"tiny/{n}": Made(outputs={".csv": b"new", ".html": b"new"}) for n in "ab"})

    results = shelf.build(force=True)

    assert fulls
    assert results["tiny/a"].reason == ".a.html.part: cannot be written (No space left on device)"
    assert results["tiny/b"].status == "built"
    assert (shelf.read("tiny/a.html"), shelf.read("tiny/a.csv")) == ("old", "old")
    assert not list(shelf.reports.glob("*/.*"))
    assert "stale since" in shelf.read("index.html")


def test_a_page_that_comes_out_the_same_is_not_rewritten(shelf, stub):
    shelf.write("tiny/a")
    stub({"tiny/a": Made(outputs={".csv": b"same", ".html": b"same"})})
    shelf.build()
    stamp = (shelf.reports / "tiny" / "a.html").stat().st_mtime_ns

    shelf.build(force=True)

    assert (shelf.reports / "tiny" / "a.html").stat().st_mtime_ns == stamp


def test_a_second_build_at_once_stops_with_one_line(shelf):
    shelf.write("tiny/a")

    with hold(shelf.root / "build"), pytest.raises(BusyError, match="another build is under way"):
        build_pages(read_specs(shelf.root), root=shelf.root)


def test_after_the_first_failure_no_page_is_begun_where_that_is_asked_for(shelf, stub):
    for name in ("a", "b", "c"):
        shelf.write(f"tiny/{name}")
    good = Made(outputs={".csv": b"", ".html": b""})
    stub({"tiny/a": good, "tiny/b": Made(reason="cell 1 (a): no"), "tiny/c": good})

    fast = shelf.build(fail_fast=True, jobs=1)
    kept_going = shelf.build(jobs=1)

    assert [each.status for each in fast.values()] == ["built", "failed", "skipped"]
    assert [each.status for each in kept_going.values()] == ["current", "failed", "built"]


@pytest.mark.parametrize(
    ("options", "code", "out", "err"),
    [
        ([], 1, "built   tiny/a\nbuilt   tiny/c\n2 built, 0 current, 1 failed; see", 2),
        (["--fail-fast"], 1, "built   tiny/a\n1 built, 0 current, 1 failed, 1 skipped; see", 2),
        (["-q"], 1, "", 2),
        (["-q", "tiny/a", "tiny/c"], 0, "", 0),
        (["--fast"], 2, "", 4),
    ],
)
def test_the_command_tells_of_each_page_in_a_line_and_of_all_by_its_exit_status(
    shelf, stub, monkeypatch, capsys, options, code, out, err
):
    for name in ("a", "b", "c"):
        shelf.write(f"tiny/{name}")
    good = Made(outputs={".csv": b"", ".html": b""})
    stub({"tiny/a": good, "tiny/b": Made(reason="cell 1 (a): no"), "tiny/c": good})
    monkeypatch.setenv("TRADEGAP_ROOT", str(shelf.root))

    ended = exit_code("build", "--jobs", "1", *options)

    said = capsys.readouterr()
    assert ended == code
    assert said.out.startswith(out)
    assert bool(said.out) == bool(out)
    assert len(said.err.splitlines()) == err


def test_a_page_that_is_good_again_is_no_longer_marked_as_failed(shelf, stub):
    shelf.write("tiny/a")
    stub({"tiny/a": Made(reason="cell 1 (a): no")})
    shelf.build()
    stub({"tiny/a": Made(outputs={".csv": b"", ".html": b""})})

    shelf.build()

    assert "failed since" not in shelf.read("index.html")


def test_an_interrupted_build_marks_the_pages_that_were_being_made(shelf, stub):
    shelf.write("tiny/a")
    stub({"tiny/a": Made(outputs={".csv": b"", ".html": b""})})

    def interrupt(result):
        if result.reason:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_pages(
            read_specs(shelf.root),
            root=shelf.root,
            report=lambda result: interrupt(result) if result.status == "running" else None,
        )

    record = json.loads((shelf.root / "build/records/tiny/a.json").read_text(encoding="utf-8"))
    assert record["reason"] == "cell 1 (a): interrupted"


def test_pages_end_when_their_builder_is_killed(shelf):
    marks = [shelf.root / f"mark-{number}" for number in (1, 2)]
    for number, mark in enumerate(marks):
        code = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
        shelf.write(f"any/{number}", code=code)
    environment = os.environ | {"TRADEGAP_ROOT": str(shelf.root)}
    builder = subprocess.Popen(
        [sys.executable, "-m", "tradegap.cli", "build", "--jobs", "2"],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    wait_for(lambda: all(mark.is_file() and mark.read_text() for mark in marks), 300)
    processes = [int(mark.read_text()) for mark in marks]

    builder.send_signal(signal.SIGKILL)
    builder.wait()

    wait_for(lambda: not any(is_alive(each) for each in processes), 30)
    assert [
        path.name for path in shelf.reports.rglob("*") if path.suffix in (".html", ".csv")
    ] == []
    with hold(shelf.root / "build"):
        pass


def test_ctrl_c_ends_a_build_with_130_and_one_line_and_the_next_one_recovers(shelf):
    mark = shelf.root / "build" / "mark"
    code = f"import os, time; m = {str(mark)!r}; seen = os.path.exists(m); open(m, 'w').close()\n"
    shelf.write("any/a", code=code + "time.sleep(600 * (not seen)); figures.append(1)")
    environment = os.environ | {"TRADEGAP_ROOT": str(shelf.root)}
    command = [sys.executable, "-m", "tradegap.cli", "build"]
    builder = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    wait_for(mark.is_file, 300)

    builder.send_signal(signal.SIGINT)
    _, complained = builder.communicate(timeout=300)

    assert builder.returncode == 130
    assert complained.splitlines() == [
        "failed  any/a: cell 2 (figures = []): interrupted",
        "        what was published stays; see build/logs/any/a.log",
        "",  # past the ^C that a terminal shows
        "tradegap: interrupted; what was published before stays",
    ]
    assert re.search(r"failed since \d+ \w+ \d{4}</strong>: cell 2", shelf.read("index.html"))
    assert not list(shelf.reports.glob("*/*.html"))
    assert shelf.build()["any/a"].status == "built"
    assert "failed since" not in shelf.read("index.html")


def exit_code(*arguments) -> int:
    try:
        main(list(arguments))
    except SystemExit as ended:
        return ended.code
    return 0


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def wait_for(condition, seconds) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)
