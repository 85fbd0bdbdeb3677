"""Beside the build: one page in a process of its own, which hands everything back to the builder.

    builder ── warm parent ── page            with our engine: forked, everything imported once
    builder ── page ── kernel                 with the stock engine, or where nothing can be forked

A page's process writes its log and its run below build/, and nothing else: what is published is
published by the builder alone, so that a process that outlives the builder can do no harm.
"""

from __future__ import annotations

import faulthandler
import gc
import logging
import multiprocessing
import os
import re
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import reduction
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol

from tradegap.errors import PageError
from tradegap.kept import STORE
from tradegap.specs import Spec, import_jsonschema

__all__ = ["ENGINES", "Job", "Made", "Workers", "environment_of", "hire"]

ENGINES = {"fork": "tradegap", "kernel": "tradegap-kernel"}
# What a page's process sees on every machine: UTC, one hash seed, one locale, the kernel of this
# .venv; sums in one order, however many processors; pydevd would print a warning into each log.
ENVIRONMENT = {
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "LC_ALL": "C.UTF-8",
    "LANG": "C.UTF-8",
    "JUPYTER_PREFER_ENV_PATH": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
KERNEL_START_SECONDS = 300  # a busy machine may take more than papermill's minute
OWN_TAGS = {"injected-parameters", "papermill-error-cell-tag"}


@dataclass(frozen=True)
class Job:
    """One page to make: its spec, the project, where its log and run go, and how it is run."""

    spec: Spec
    root: Path
    build: Path
    engine: str = "fork"

    @property
    def log(self) -> Path:
        """Where everything that is said on the way is kept."""
        return self.build / "logs" / f"{self.spec.page}.log"


@dataclass(frozen=True)
class Made:
    """What came of a page: its outputs by suffix, what it read and says last, or why it failed."""

    outputs: dict[str, bytes] = field(default_factory=dict)
    read: dict[str, Any] = field(default_factory=dict)
    reading: dict[str, Any] = field(default_factory=dict)
    reason: str = ""


class Workers(Protocol):
    """Whoever starts processes for pages. A page says its cells, then Made, on its connection."""

    def start(self, job: Job) -> tuple[int, Connection]:
        """Start a page; return its number and its connection."""

    def kill(self, number: int) -> None:
        """End a page's process and whatever it started."""

    def wait(self, number: int) -> int:
        """Return how a process ended: its exit code, negative for a signal."""

    def close(self) -> None:
        """End all of them."""


def hire(engine: str, *, build: Path) -> Workers:
    """Return workers for an engine."""
    if engine == "fork":
        return ForkedWorkers(build)
    return SpawnedWorkers()


def environment_of(build: Path) -> dict[str, str]:
    """Return the environment of a page: this one, but for all that may show in a page."""
    # A person's own IPython profile (start-up files, extensions) has no say in a page.
    own = {"IPYTHONDIR": str(build / "ipython"), STORE: str(build / "signals.sqlite")}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("LC_")}
    return kept | ENVIRONMENT | own


class ForkedWorkers:
    """Pages forked from one warm parent, a process that has imported what they need.

    The parent has no thread and runs nothing of a page; its children share its memory until they
    write to it.
    """

    def __init__(self, build: Path) -> None:
        """Start the warm parent; it ends, and its pages with it, when this process does."""
        self.build = build
        self.count = 0
        self.pages: dict[int, int] = {}
        self.codes: dict[int, int] = {}
        self.lock = threading.RLock()
        self.open()

    def open(self) -> None:
        """Start the warm parent."""
        log = self.build / "logs" / "warm.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        ours, theirs = socket.socketpair()
        code = f"from tradegap.workers import serve; serve({theirs.fileno()})"
        with log.open("wb") as output:
            self.parent = subprocess.Popen(
                [sys.executable, "-P", "-c", code],
                env=environment_of(self.build),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        theirs.close()
        self.line = Connection(ours.detach())

    def start(self, job: Job) -> tuple[int, Connection]:
        """Have the warm parent fork a page."""
        with self.lock:
            return self.fork(job)

    def fork(self, job: Job) -> tuple[int, Connection]:
        """Have the warm parent, or the one that takes its place, fork a page."""
        self.count += 1
        ours, theirs = multiprocessing.Pipe(duplex=False)
        try:
            self.ask(job, theirs)
        except (EOFError, OSError):
            # The parent was killed: another one takes its place. Its pages go on without it.
            self.line.close()
            self.parent.wait()
            self.open()
            try:
                self.ask(job, theirs)
            except (EOFError, OSError):
                log = self.build / "logs" / "warm.log"
                raise PageError(f"the warm parent does not start; see {log}") from None
        theirs.close()
        return self.count, ours

    def ask(self, job: Job, answer: Connection) -> None:
        """Send a job and its connection; return when the page has been forked."""
        self.line.send((self.count, job))
        reduction.send_handle(self.line, answer.fileno(), self.parent.pid)
        while self.count not in self.pages:
            self.hear()

    def hear(self) -> None:
        """Take one thing that the warm parent tells: a page was born, or ended."""
        what, number, value = self.line.recv()
        (self.pages if what == "born" else self.codes)[number] = value

    def kill(self, number: int) -> None:
        """Kill a page's process and whatever it started; its log tells where it was."""
        with suppress(ProcessLookupError):
            os.kill(self.pages[number], signal.SIGUSR1)
            time.sleep(0.1)
        end_group(self.pages[number])

    def wait(self, number: int) -> int:
        """Return how a page's process ended."""
        try:
            with self.lock:
                while number not in self.codes:
                    self.hear()
        except (EOFError, OSError):
            return -9
        return self.codes[number]

    def close(self) -> None:
        """End the warm parent, which ends its pages."""
        self.line.close()
        if not self.count:  # it may still be importing, for nothing
            self.parent.kill()
        try:
            self.parent.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.parent.kill()
            self.parent.wait()


class SpawnedWorkers:
    """Pages in new processes, each of which imports what it needs and starts a kernel."""

    def __init__(self) -> None:
        """Start with none."""
        self.processes: dict[int, Any] = {}

    def start(self, job: Job) -> tuple[int, Connection]:
        """Start a page's process."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(target=run_spawned, args=(job, theirs))
        process.start()
        theirs.close()
        number = len(self.processes)
        self.processes[number] = process
        return number, ours

    def kill(self, number: int) -> None:
        """Kill a page's process; its kernel ends by itself when it is gone."""
        self.processes[number].kill()

    def wait(self, number: int) -> int:
        """Return how a page's process ended."""
        self.processes[number].join()
        return int(self.processes[number].exitcode or 0)

    def close(self) -> None:
        """End all of them."""
        for process in self.processes.values():
            process.kill()
            process.join()


def serve(descriptor: int) -> None:
    """Be the warm parent: import, then fork a page for each job, until the builder is gone."""
    line = Connection(descriptor)
    warm_up()
    children: dict[int, int] = {}  # number of the page to process
    read_end, write_end = os.pipe()
    for end in (read_end, write_end):
        os.set_blocking(end, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    gc.collect()
    gc.freeze()
    try:
        while True:
            ready, _, _ = select.select([line.fileno(), read_end], [], [])
            if read_end in ready:
                os.read(read_end, 1 << 16)
                for number, process in list(children.items()):
                    found, status = os.waitpid(process, os.WNOHANG)
                    if found:
                        # Whatever the page has left behind goes with it.
                        end_group(children.pop(number))
                        line.send(("ended", number, os.waitstatus_to_exitcode(status)))
            if line.fileno() in ready:
                number, job = line.recv()
                answer = reduction.recv_handle(line)
                children[number] = fork_page(job, answer, (line, read_end, write_end))
                line.send(("born", number, children[number]))
    except (EOFError, OSError):
        pass
    finally:
        for process in children.values():
            end_group(process)
        os._exit(0)


def end_group(process: int) -> None:
    """Kill a page's process and whatever it started."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process, signal.SIGKILL)


def fork_page(job: Job, answer: int, lines: tuple[Any, int, int]) -> int:
    """Start a page in a copy of this process; return the copy's number."""
    process = os.fork()
    if process:
        with suppress(OSError):
            os.setpgid(process, process)
        os.close(answer)
        return process
    try:
        with suppress(OSError):
            os.setpgid(0, 0)
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        line, read_end, write_end = lines
        line.close()
        os.close(read_end)
        os.close(write_end)
        # Python's own generator begins anew in a fork; numpy's would give all pages the same.
        sys.modules["numpy"].random.seed()
        run_page(job, Connection(answer, readable=False))
        os._exit(0)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(1)


def warm_up() -> None:
    """Import, and begin, what every page needs and no page can change for another.

    Chart rendering is left to the page: its threads would not survive a fork.
    """
    import_jsonschema()
    from importlib import import_module

    from tradegap import HOMES
    from tradegap.engine import make_shell
    from tradegap.pages import render_page

    shell = make_shell()
    with shell.builtin_trap:
        for name in ("papermill", "pandas", "altair", *(f"tradegap.{home}" for home in HOMES)):
            import_module(name)
    # Whoever renders or draws for the first time loads templates, grammars and schemas.
    nbformat, altair = import_module("nbformat"), import_module("altair")
    for template in ("panels.html.j2", "audit.html.j2"):
        import_module("tradegap.panels").macros(template)
    altair.Chart(altair.Data(values=[])).mark_point().encode(x="a:Q").to_dict()
    cells = [nbformat.v4.new_markdown_cell("# A [link](https://example.org)")]
    render_page(Spec("a/b", Path("a.ipynb"), "A", "?"), nbformat.v4.new_notebook(cells=cells))


def run_spawned(job: Job, answer: Connection) -> None:
    """Make a page in a process of its own, which ends when the builder does."""
    builder = multiprocessing.parent_process()
    if builder:
        threading.Thread(target=end_with, args=(builder.sentinel,), daemon=True).start()
    os.environ.update(environment_of(job.build))
    run_page(job, answer)


def end_with(sentinel: int) -> None:
    """End this process when the builder is gone."""
    multiprocessing.connection.wait([sentinel])
    os._exit(1)


def run_page(job: Job, answer: Connection) -> None:
    """Make one page with everything that is printed on the way in its log."""
    job.log.parent.mkdir(parents=True, exist_ok=True)
    with job.log.open("w", encoding="utf-8", buffering=1) as log:
        for descriptor in (1, 2):
            os.dup2(log.fileno(), descriptor)
        sys.stdout = sys.stderr = log
        logging.basicConfig(stream=log, level=logging.INFO, force=True)
        os.environ["TRADEGAP_ROOT"] = str(job.root)
        os.environ["TRADEGAP_PAGE"] = job.spec.page
        faulthandler.enable(log)
        if hasattr(signal, "SIGUSR1"):
            faulthandler.register(signal.SIGUSR1, log, all_threads=True)
        limit_memory(job.spec.memory_mb)
        try:
            made = make_page(job, tell=lambda cell: answer.send(cell))
        except PageError as error:
            made = Made(reason=str(error))
        except MemoryError:
            made = Made(reason=f"took more than {job.spec.memory_mb} MB")
        except KeyboardInterrupt:
            os._exit(130)
        except Exception as error:
            logging.exception("outside the notebook")
            made = Made(reason=f"{type(error).__name__}: {first_line(error)}")
        with suppress(BrokenPipeError):
            answer.send(made)


def limit_memory(memory_mb: int) -> None:
    """Have a runaway cell run into MemoryError, and not the whole machine into its limit.

    The limit is on what a process can write to: the chart renderer reserves far more than it uses.
    """
    try:
        import resource
    except ImportError:  # Windows
        return
    soft, hard = memory_mb << 20, resource.getrlimit(resource.RLIMIT_DATA)[1]
    if hard == resource.RLIM_INFINITY or soft < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def make_page(job: Job, *, tell: Callable[[str], None]) -> Made:
    """Run the notebook and render it; `tell` hears of each cell as it starts."""
    from tradegap.pages import read_figures, render_page
    from tradegap.reading import read_reading

    run = job.build / "runs" / f"{job.spec.page}.ipynb"
    run.parent.mkdir(parents=True, exist_ok=True)
    notebook, read = execute(job, run=run, tell=tell)
    figures = read_figures(notebook)
    html = render_page(job.spec, notebook)
    outputs = {".csv": figures.encode(), ".html": html.encode()}
    return Made(outputs=outputs, read=read, reading=read_reading(figures))


def execute(job: Job, *, run: Path, tell: Callable[[str], None]) -> tuple[Any, dict[str, Any]]:
    """Return the executed notebook and what it read; raise PageError with the cell that failed."""
    import papermill
    from nbclient.exceptions import DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    import tradegap.engine  # noqa: F401 - papermill knows our engines from here on

    spec = job.spec
    reached: list[Any] = [[], 0]
    read: dict[str, Any] = {}

    def started(cells: list[Any], index: int) -> None:
        reached[:] = list(cells), index
        tell(name_cell(*reached))

    try:
        executed = papermill.execute_notebook(
            str(spec.notebook),
            str(run),
            parameters=dict(spec.parameters),
            engine_name=ENGINES[job.engine],
            kernel_name="python3",
            request_save_on_cell_execute=False,
            progress_bar=False,
            cwd=str(spec.notebook.parent),
            start_timeout=KERNEL_START_SECONDS,
            root=job.root,
            started=started,
            read=read,
        )
    except PapermillExecutionError as error:
        logging.error("%s", re.sub(r"\x1b\[[0-9;]*m", "", str(error)))
        told = re.search(r"Cell In\[\d+\], line (\d+)", str(error))
        what = f"{error.ename}: {first_line(error.evalue)}"
        if error.ename == "MemoryError":
            what = f"took more than {spec.memory_mb} MB"
        where = name_cell(reached[0], error.cell_index, line=int(told[1]) if told else 1)
        raise PageError(f"{where}: {what}") from None
    except DeadKernelError:
        raise PageError(f"{name_cell(*reached)}: its kernel died") from None
    return executed, read


def name_cell(cells: list[Any], index: int, *, line: int = 1) -> str:
    """Return `cell 7 (that line of it)`, counted as in the notebook that people open."""
    if not cells:
        return "before its first cell"
    number = sum(not OWN_TAGS & {*each.metadata.get("tags", [])} for each in cells[: index + 1])
    told = "".join(cells[index].source.splitlines()[line - 1 : line]).strip()
    return f"cell {number} ({told or 'empty'})"


def first_line(error: object) -> str:
    """Return the first line of what an error says."""
    return next(iter(str(error).strip().splitlines()), "no message")
