"""Beside the build: how a notebook's cells are run, as engines that papermill knows by name.

`tradegap` runs the cells in the process that it is called in, which the build forks for each page
from one that has imported everything; `tradegap-kernel` runs them in a stock Jupyter kernel. Both
hand on what the shell says in the same messages, so that both give the same outputs.
"""

from __future__ import annotations

import ast
import io
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ipykernel.compiler
from ipykernel.zmqshell import ZMQInteractiveShell
from jupyter_client.session import Session, json_packer, json_unpacker
from nbclient.exceptions import CellExecutionError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import Engine, papermill_engines
from traitlets import Any as AnyTrait
from traitlets.config import Config

from tradegap.provenance import Input, Observer

__all__ = ["OwnEngine", "StockEngine", "make_shell"]

CellStart = Callable[[list[Any], int], None]


class Wire(Session):
    """Where the shell sends its messages: straight to whoever runs the cell, as JSON gives them."""

    deliver = AnyTrait(lambda message: None)

    def send(self, stream: Any, msg_or_type: Any, content: Any = None, *_: Any, **__: Any) -> None:
        """Hand a message on."""
        message = msg_or_type
        if not isinstance(message, dict):
            message = {"msg_type": msg_or_type, "content": content}
        self.post(message["msg_type"], message["content"])

    def post(self, kind: str, content: Any) -> None:
        """Hand on one message of a kind."""
        sent = json_unpacker(json_packer(content))
        header = {"msg_type": kind}
        self.deliver({"msg_type": kind, "header": header, "parent_header": {}, "content": sent})


class Stream(io.TextIOBase):
    """Standard output or error of a cell: a message, and a line in the log at once."""

    encoding = "utf-8"

    def __init__(self, name: str, wire: Wire, log: Any) -> None:
        """Take the stream's name, the wire to send on and the log."""
        self.name, self.wire, self.log = name, wire, log
        self.lock = threading.Lock()

    def write(self, text: str) -> int:
        """Send a text, and keep it in the log."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if text:
            with self.lock:
                self.log.write(text)
                self.wire.post("stream", {"name": self.name, "text": text})
        return len(text)

    def flush(self) -> None:
        """Write out the log."""
        self.log.flush()

    def fileno(self) -> int:
        """Return the log's descriptor, for a process that a cell starts."""
        return int(self.log.fileno())

    def writable(self) -> bool:
        """Return that a text can be written."""
        return True


def make_shell() -> Any:
    """Return the shell of this process, the one that a kernel has, without history on disk.

    It comes before pandas is imported, which asks whether it is in a notebook.
    """
    config = Config()
    config.HistoryManager.enabled = False
    shell: Any = ZMQInteractiveShell.instance(
        config=config, compiler_class=ipykernel.compiler.XCachingCompiler, kernel=None
    )
    shell.wire = shell.displayhook.session = shell.display_pub.session = Wire()
    return shell


class OwnClient(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client, with the shell of this process in place of a kernel's."""

    def execute(self, **_: Any) -> Any:
        """Run all cells."""
        self.reset_execution_trackers()
        self.shell = make_shell()
        sys.path.insert(0, "")
        streams = sys.stdout, sys.stderr
        wire = self.shell.wire
        sys.stdout, sys.stderr = (
            Stream(name, wire, stream)
            for name, stream in zip(("stdout", "stderr"), streams, strict=True)
        )
        try:
            self.papermill_execute_cells()
        finally:
            sys.stdout, sys.stderr = streams
        return self.nb

    def execute_cell(self, cell: Any, cell_index: int, *_: Any, **__: Any) -> Any:
        """Run one cell; raise CellExecutionError where it fails."""
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code" or not cell.source.strip():
            return cell
        if self.skip_cells_with_tag in tags:
            return cell
        cell.outputs = []
        self.clear_before_next_output = False
        failure: dict[str, Any] = {}

        def deliver(message: dict[str, Any]) -> None:
            if message["msg_type"] == "error":
                failure.update(message["content"])
            last = cell.outputs[-1] if cell.outputs else {}
            content = message["content"]
            is_more = message["msg_type"] == "stream" and last.get("name") == content["name"]
            if is_more and not self.clear_before_next_output:
                last["text"] += content["text"]
            else:
                self.process_message(message, cell, cell_index)

        self.shell.wire.deliver = deliver
        cell.execution_count = self.shell.execution_count
        result = self.shell.run_cell(cell.source, store_history=True)
        if not result.success and "raises-exception" not in tags:
            failure = failure or {"ename": "Error", "evalue": str(result.error_in_exec)}
            raise CellExecutionError.from_cell_and_msg(cell, {"traceback": [], **failure})
        return cell


class StockClient(PapermillNotebookClient):  # type: ignore[misc]
    """papermill's client as it is, with an observer in the kernel, which shows in no cell."""

    root = AnyTrait()
    read = AnyTrait()

    def papermill_execute_cells(self) -> None:
        """Run all cells between the observer's beginning and end."""
        begin = (
            f"import pathlib, tradegap.provenance as p; p.OBSERVER = "
            f"p.Observer(pathlib.Path({str(self.root)!r})); p.OBSERVER.watch()"
        )
        self.tell(f"exec({begin!r}, {{}})")
        super().papermill_execute_cells()
        observer = "__import__('tradegap.provenance').provenance.OBSERVER"
        end = f"__import__('json').dumps({observer}.finish())"
        if not any(cell.metadata.papermill.get("exception") for cell in self.nb.cells):
            self.read.update(json.loads(ast.literal_eval(self.tell("", end))))

    def tell(self, code: str, expression: str = "None") -> str:
        """Run code that leaves no trace in the notebook; return the repr of an expression."""
        ticket = self.kc.execute(code, silent=True, user_expressions={"it": expression})
        reply = self.wait_for_reply(ticket)["content"]
        return str(reply["user_expressions"]["it"]["data"]["text/plain"])


class OwnEngine(Engine):  # type: ignore[misc]
    """Runs cells in this process."""

    client = OwnClient

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: Any,
        kernel_name: str,
        *,
        root: Path | None = None,
        started: CellStart = lambda cells, index: None,
        read: dict[str, Input] | None = None,
        log_output: bool = False,
        start_timeout: int = 60,
        **_: Any,
    ) -> None:
        """Run the notebook; tell of each cell that starts, and fill `read` with what was read."""
        tell_papermill = nb_man.cell_start

        def cell_start(cell: Any, cell_index: int, **options: Any) -> None:
            started(nb_man.nb.cells, cell_index)
            tell_papermill(cell, cell_index, **options)

        nb_man.cell_start = cell_start
        cls.run(
            nb_man, kernel_name, root or Path.cwd(), {} if read is None else read, start_timeout
        )

    @classmethod
    def run(
        cls, nb_man: Any, kernel_name: str, root: Path, read: dict[str, Input], start_timeout: int
    ) -> None:
        """Run all cells here."""
        observer = Observer(root)
        observer.watch()
        OwnClient(nb_man).execute()
        read.update(observer.finish())


class StockEngine(OwnEngine):
    """Runs cells in a Jupyter kernel, as papermill does without us."""

    @classmethod
    def run(
        cls, nb_man: Any, kernel_name: str, root: Path, read: dict[str, Input], start_timeout: int
    ) -> None:
        """Run all cells in a kernel."""
        StockClient(
            nb_man,
            kernel_name=kernel_name,
            startup_timeout=start_timeout,
            root=root,
            read=read,
            log_output=True,
        ).execute()


papermill_engines.register("tradegap", OwnEngine)
papermill_engines.register("tradegap-kernel", StockEngine)
