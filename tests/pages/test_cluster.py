"""Pages and documents made on a real cluster of two workers come out the same, whatever is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import date

import pytest

from tradegap.cli import main

# A page that on its first run says which worker makes it, and waits to be killed with it.
DOOMED = """
import os, psutil, time
from pathlib import Path
mark = Path(os.environ["TRADEGAP_ROOT"]) / "build" / "mark"
if mark.with_suffix(".wanted").exists() and not mark.exists():
    worker = psutil.Process().parent().parent().pid
    mark.with_suffix(".part").write_text(str(worker))
    mark.with_suffix(".part").rename(mark)
    time.sleep(600)
figures.append("made")
"""


class Cluster:
    """A scheduler and two workers, processes of their own on loopback."""

    def __init__(self, folder) -> None:
        self.folder = folder
        self.processes = [self.start("scheduler", "--port", "0", "--scheduler-file", self.told)]
        self.workers = [self.add_worker(), self.add_worker()]

    @property
    def told(self):
        return self.folder / "scheduler.json"

    def start(self, command, *arguments) -> subprocess.Popen[bytes]:
        local = ["--host", "127.0.0.1", "--no-dashboard", *map(str, arguments)]
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{command}", *local],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def add_worker(self) -> subprocess.Popen[bytes]:
        options = ["--no-nanny", "--nthreads", "1", "--scheduler-file", self.told]
        local = self.folder / str(len(self.processes))
        self.processes.append(self.start("worker", *options, "--local-directory", local))
        return self.processes[-1]

    @property
    def address(self) -> str:
        wait_for(self.told.is_file)
        return json.loads(self.told.read_text(encoding="utf-8"))["address"]

    def close(self) -> None:
        for each in reversed(self.processes):
            each.kill()
            each.wait()


def wait_for(condition) -> None:
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.05)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Give a cluster whose workers a test may kill."""
    if "TRADEGAP_CI" not in os.environ:
        pytest.importorskip("distributed", reason="Dask is not installed (tradegap[dask])")
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    yield cluster
    cluster.close()


def test_a_build_on_a_cluster_that_loses_a_worker_gives_the_same_bytes(cluster, shelf, make_shelf):
    here = make_shelf("here")
    for each in (shelf, here):
        for word in ("autos", "beef", "rice"):
            each.write(f"tiny/{word}", word=word)
        each.write("any/doomed", code=DOOMED)
        each.write("any/fails", code="raise ValueError('no')")
    here.build()
    mark = shelf.root / "build" / "mark"
    mark.parent.mkdir()
    mark.with_suffix(".wanted").touch()
    builder = subprocess.Popen(
        [sys.executable, "-m", "tradegap.cli", "build", "--dask", cluster.address],
        env=os.environ | {"TRADEGAP_ROOT": str(shelf.root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(lambda: mark.is_file() or builder.poll() is not None)

    os.kill(int(mark.read_text(encoding="utf-8")), signal.SIGKILL)
    said, complained = builder.communicate(timeout=120)

    assert builder.returncode == 1
    assert [each.poll() for each in cluster.workers].count(None) == 1
    assert said.count("built   ") == 4
    assert "failed  any/fails: cell 2 (exec(code)): ValueError: no\n" in complained
    assert len(complained.splitlines()) == 2
    assert "Traceback" in (shelf.root / "build/logs/any/fails.log").read_text(encoding="utf-8")
    published = {p.relative_to(here.reports) for p in here.reports.glob("*/*.*")}
    assert {p.relative_to(shelf.reports) for p in shelf.reports.glob("*/*.*")} == published
    for name in published:
        assert (shelf.reports / name).read_bytes() == (here.reports / name).read_bytes(), name


def test_documents_coded_on_a_cluster_that_loses_a_worker_give_the_same_lines(cluster, tmp_path):
    from tradegap.cluster import code_documents, join
    from tradegap.coding import iter_signals
    from tradegap.documents import Document, iter_documents

    cluster.workers = [cluster.add_worker(), *(w for w in cluster.workers if w.poll() is None)]
    folder = tmp_path / "texts"
    folder.mkdir()
    for number in range(120):
        day = number % 100
        text = f"Japan and the United States reached an agreement on beef on day {day} of talks.\n"
        (folder / f"{number:03}.txt").write_text(text, encoding="utf-8")
    (folder / "200.txt").write_text("Beide Seiten haben sich nicht geeinigt, sagte er.\n", "utf-8")
    read = list(iter_documents([folder], published=date(2019, 8, 21)))
    known = [each for each in read if isinstance(each, Document)]

    with join(cluster.address) as client:
        client.wait_for_workers(2, timeout=120)
        batches = code_documents(client, read)
        coded = [next(batches)]
        cluster.workers[-1].kill()
        coded += batches

    wanted = [row for frame in iter_signals(known) for row in frame.to_dict("records")]
    assert [row for each in coded for row in each.signals.to_dict("records")] == wanted
    assert len(wanted) == 100
    assert [line for each in coded for line in each.faults] == [
        f"{folder}/200.txt: no English prose found; nothing is coded in it"
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["build"], "no scheduler answers there"),
        (["code", __file__], "no scheduler answers there"),
        (["build", "--engine", "kernel"], "not with --dask"),
        (["code", __file__, "--coder", "chat", "--model", "m"], "is of the coder by cues"),
        (["code", __file__, "--published", "2019-08-21"], "Dask is not installed"),
    ],
)
def test_a_cluster_that_is_not_there_is_told_in_a_line(shelf, capsys, monkeypatch, arguments, said):
    if "installed" in said:
        monkeypatch.setitem(sys.modules, "distributed", None)
    elif "scheduler" in said:
        pytest.importorskip("distributed", reason="Dask is not installed (tradegap[dask])")
    monkeypatch.setenv("TRADEGAP_ROOT", str(shelf.root))
    monkeypatch.setattr("tradegap.cluster.ANSWER_SECONDS", 0.2)

    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--dask", "tcp://127.0.0.1:9"])

    assert ended.value.code in (1, 2)
    complaint = capsys.readouterr().err
    assert said in complaint
    assert "Traceback" not in complaint


def test_a_worker_with_another_package_says_what_differs():
    from tradegap.cluster import describe, differs

    there = describe() | {"pandas": "0.1"}

    assert differs(describe()) == ""
    assert differs(there).endswith(" (asked for: 0.1)")
    assert {"tradegap", "pandas", "altair", "vl-convert-python"} <= there.keys()
