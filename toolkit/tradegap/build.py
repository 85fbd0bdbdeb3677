"""Last stage: page specs in, published pages out; each page in a process of its own.

papermill runs the notebook, `pages` renders the run, and only a page that is whole and inert is
put in place. A page that fails leaves the last good one where it is; the others are built.
"""

from __future__ import annotations

import hashlib
import json
import logging
import multiprocessing
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from tradegap.errors import PageError
from tradegap.pages import read_figures, render_index, render_page
from tradegap.specs import Spec, check_specs

__all__ = ["Result", "build_index", "build_pages"]

# What a notebook's process sees on every machine: UTC, one hash seed, one locale, the kernel of
# this .venv; sums in one order, however many processors; pydevd would print a warning into
# each log.
ENVIRONMENT = {
    "TZ": "UTC",
    "PYTHONHASHSEED": "0",
    "LC_ALL": "C.UTF-8",
    "JUPYTER_PREFER_ENV_PATH": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
KERNEL_START_SECONDS = 300  # a busy machine may take more than papermill's minute


@dataclass(frozen=True)
class Result:
    """What became of one page: `built`, `current` (nothing to do), or `failed` with a reason."""

    page: str
    status: str
    reason: str = ""


def build_pages(
    specs: Sequence[Spec],
    *,
    root: Path,
    out: Path | None = None,
    build: Path | None = None,
    force: bool = False,
    jobs: int | None = None,
    report: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Return one result per page, in the order of the specs; write those that have changed.

    Pages go to `out` (reports/), runs, logs and records to `build` (build/). Nothing starts when a
    spec is at fault. `report` is called once per page, in order.
    """
    out, build = out or root / "reports", build or root / "build"
    shared = _hash_shared(root)
    keys = {spec.page: _hash_spec(spec, shared) for spec in specs}
    stale = [s for s in specs if force or not _is_current(s, keys[s.page], out=out, build=build)]
    check_specs(stale)
    for left in out.glob("**/.*.part"):
        left.unlink(missing_ok=True)
    stale_pages = {spec.page for spec in stale}
    finished = _run_all(stale, out=out, build=build, jobs=jobs or os.cpu_count() or 1)
    done: dict[str, Result] = {}
    results = []
    for spec in specs:
        if spec.page in stale_pages:
            while spec.page not in done:
                result = next(finished)
                done[result.page] = _record(result, keys[result.page], out=out, build=build)
        else:
            done[spec.page] = Result(spec.page, "current")
        results.append(done[spec.page])
        report(done[spec.page])
    return results


def _run_all(specs: Sequence[Spec], *, out: Path, build: Path, jobs: int) -> Iterator[Result]:
    """Yield one result per page as it is done, each page in a process of its own.

    A process that is killed takes its own page with it and no other. Where there is a fork server,
    papermill and nbconvert are imported once for all pages.
    """
    if "forkserver" in multiprocessing.get_all_start_methods():
        context: Any = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["papermill", "nbconvert", __name__])
    else:
        context = multiprocessing.get_context("spawn")
    waiting = list(specs)
    running: dict[Any, tuple[Any, Spec]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                spec = waiting.pop(0)
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_build_alone, args=(spec, out, build, theirs))
                process.start()
                theirs.close()
                running[ours] = process, spec
            for ours in list(wait(list(running))):
                process, spec = running.pop(ours)
                yield _receive(ours, process, spec)
    finally:
        for process, _ in running.values():
            process.terminate()


def _receive(answer: Any, process: Any, spec: Spec) -> Result:
    try:
        result: Result = answer.recv()
    except EOFError:
        process.join()
        code = process.exitcode
        how = f"was killed by signal {-code}" if code < 0 else f"ended with {code}"
        result = Result(spec.page, "failed", f"its process {how}")
    process.join()
    return result


def _build_alone(spec: Spec, out: Path, build: Path, answer: Connection) -> None:
    """Build one page with everything that is printed on the way in its log."""
    log = build / "logs" / f"{spec.page}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("w", encoding="utf-8") as stream:
        for descriptor in (1, 2):
            os.dup2(stream.fileno(), descriptor)
        logging.basicConfig(stream=stream, level=logging.INFO, force=True)
        # A person's own IPython profile (start-up files, extensions) has no say in a page.
        os.environ |= {**ENVIRONMENT, "IPYTHONDIR": str(build / "ipython")}
        os.environ["TRADEGAP_PAGE"] = spec.page
        try:
            _build_page(spec, out=out, run=build / "runs" / f"{spec.page}.ipynb")
            result = Result(spec.page, "built")
        except PageError as error:
            result = Result(spec.page, "failed", str(error))
        except KeyboardInterrupt:
            os._exit(130)
        except Exception as error:
            logging.exception("outside the notebook")
            result = Result(spec.page, "failed", f"{type(error).__name__}: {_first_line(error)}")
        answer.send(result)


def _build_page(spec: Spec, *, out: Path, run: Path) -> None:
    """Run, render, check, and only then put the page and its figures in place."""
    run.parent.mkdir(parents=True, exist_ok=True)
    notebook = _execute(spec, run=run)
    figures = read_figures(notebook)
    html = render_page(spec, notebook)
    target = out / f"{spec.page}.html"
    _replace({target.with_suffix(".csv"): figures.encode(), target: html.encode()})


def _execute(spec: Spec, *, run: Path) -> Any:
    """Return the executed notebook; raise PageError with the cell that failed."""
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    try:
        executed = papermill.execute_notebook(
            str(spec.notebook),
            str(run),
            parameters=dict(spec.parameters),
            kernel_name="python3",
            progress_bar=False,
            cwd=str(spec.notebook.parent),
            start_timeout=KERNEL_START_SECONDS,
            execution_timeout=spec.timeout_seconds,
        )
    except (PapermillExecutionError, CellTimeoutError, DeadKernelError) as error:
        logging.error("%s", error)
        line = 1
        if isinstance(error, PapermillExecutionError):
            what = f"{error.ename}: {_first_line(error.evalue)}"
            told = re.search(r"Cell In\[\d+\], line (\d+)", str(error))
            line = int(told[1]) if told else 1
        elif isinstance(error, CellTimeoutError):
            what = f"took longer than {spec.timeout_seconds} s"
        else:
            what = "its kernel died"
        raise PageError(f"{_reached_cell(run, line)}: {what}") from None
    for number, cell in enumerate(executed.cells, start=1):
        for output in cell.get("outputs", []):
            if output.output_type == "stream":
                logging.info("cell %d, %s:\n%s", number, output.name, output.text)
    return executed


def _reached_cell(run: Path, line: int) -> str:
    """Return `cell 7 (that line of it)`, counted as in the notebook that people open."""
    import nbformat

    cells = nbformat.read(str(run), as_version=4).cells  # type: ignore[no-untyped-call]
    tags = {"injected-parameters", "papermill-error-cell-tag"}
    own = [cell for cell in cells if not tags & {*cell.metadata.get("tags", [])}]
    # papermill calls all cells completed in the end; only those that it reached have a start time.
    marks = [cell.metadata.get("papermill", {}) for cell in own]
    reached = [n for n, mark in enumerate(marks) if mark.get("start_time")] or [0]
    number = next((n for n in reached if marks[n].get("exception")), reached[-1])
    source = own[number].source.splitlines()[line - 1 : line]
    return f"cell {number + 1} ({''.join(source).strip() or 'empty'})"


def _replace(files: Mapping[Path, bytes]) -> None:
    """Put whole files in place of old ones; write all of them before the first is replaced."""
    parts = {}
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        parts[path] = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        for path, content in files.items():
            parts[path].write_bytes(content)
        for path, part in parts.items():
            os.replace(part, path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def _first_line(error: object) -> str:
    return next(iter(str(error).strip().splitlines()), "no message")


def _hash_shared(root: Path) -> str:
    """Return a hash of what every page may depend on: package, lock and data, by content."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for base, folder in (
        (package, package),
        (root, root / "data"),
        (root, root / "requirements.lock"),
    ):
        paths = sorted(folder.rglob("*")) if folder.is_dir() else [folder]
        for path in paths:
            hidden = any(p.startswith((".", "__pycache__")) for p in path.relative_to(base).parts)
            if path.is_file() and not hidden:
                digest.update(f"{path.relative_to(base).as_posix()}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
    digest.update(sys.version.encode())
    return digest.hexdigest()


def _hash_spec(spec: Spec, shared: str) -> str:
    told = [spec.page, spec.title, spec.question, spec.parameters, spec.timeout_seconds]
    content = hashlib.sha256(spec.notebook.read_bytes()).hexdigest()
    return hashlib.sha256(json.dumps([shared, content, told]).encode()).hexdigest()


def _outputs(page: str, out: Path) -> dict[str, str]:
    paths = [out / f"{page}{suffix}" for suffix in (".html", ".csv")]
    return {p.suffix: hashlib.sha256(p.read_bytes()).hexdigest() for p in paths if p.is_file()}


def _read_record(page: str, build: Path) -> dict[str, Any]:
    try:
        record = json.loads((build / "records" / f"{page}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _is_current(spec: Spec, key: str, *, out: Path, build: Path) -> bool:
    """Return whether a page was built from just these inputs and is still as it was built."""
    record = _read_record(spec.page, build)
    outputs = _outputs(spec.page, out)
    return len(outputs) == 2 and record.get("inputs") == key and record.get("outputs") == outputs


def _record(result: Result, key: str, *, out: Path, build: Path) -> Result:
    """Write down how a page was built, or since when and why it fails; return the result."""
    record: dict[str, Any]
    if result.status == "built":
        record = {"inputs": key, "outputs": _outputs(result.page, out)}
    else:
        today = datetime.now(tz=UTC).date().isoformat()
        since = _read_record(result.page, build).get("since", today)
        record = {"since": since, "reason": result.reason}
    path = build / "records" / f"{result.page}.json"
    _replace({path: json.dumps(record).encode()})
    return result


def build_index(
    specs: Sequence[Spec], *, root: Path, out: Path | None = None, build: Path | None = None
) -> Path:
    """Write `index.html`: one row per page with its question, its figures and how fresh it is.

    A build in which every page is good carries no date, so that it is the same on every day.
    """
    out, build = out or root / "reports", build or root / "build"
    rows = []
    for spec in specs:
        record = _read_record(spec.page, build)
        there = (out / f"{spec.page}.html").is_file()
        since, reason = record.get("since", ""), record.get("reason", "")
        rows.append({"spec": spec, "is_there": there, "since": since, "reason": reason})
    html = render_index(rows)
    path = out / "index.html"
    if not path.is_file() or path.read_bytes() != html.encode():
        _replace({path: html.encode()})
    return path
