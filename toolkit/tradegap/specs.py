"""Last stage but one: what to build. A page is `reports/<notebook>/<name>.yml`, one spec.

Everything that a spec can get wrong is found here, before anything starts.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from tradegap.errors import SpecError

__all__ = ["Spec", "check_specs", "read_spec", "read_specs"]


KINDS: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
}


@dataclass(frozen=True)
class Spec:
    """One page to build: what `reports/<notebook>/<name>.yml` says."""

    page: str
    notebook: Path
    title: str
    question: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timeout_seconds: int = 120
    path: Path | None = None


def read_specs(root: Path) -> list[Spec]:
    """Return one spec per page of `reports/`, sorted by page; raise SpecError with every fault."""
    specs, faults = [], []
    for path in sorted((root / "reports").glob("*/*.yml")):
        try:
            specs.append(read_spec(path, root=root))
        except SpecError as error:
            faults += error.faults
    if faults:
        raise SpecError(faults)
    return specs


def read_spec(path: Path, *, root: Path) -> Spec:
    """Return one page's spec; raise SpecError with every fault of the file."""
    where = path.relative_to(root).as_posix()
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise SpecError(f"{where}: not UTF-8 text ({error.reason}); save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be read"
        raise SpecError(f"{where}{line}: no YAML ({problem}); compare with another spec") from None
    if not isinstance(values, dict):
        raise SpecError(f"{where}: no keys found; a spec has title, question and parameters")
    faults = []
    known = ("title", "question", "parameters", "timeout_seconds")
    if unknown := [str(key) for key in values if key not in known]:
        faults.append(f"{where}: unknown key {_listed(unknown)}; a spec takes {', '.join(known)}")
    for key in ("title", "question"):
        if not isinstance(values.get(key), str) or not values[key].strip():
            faults.append(f"{where}: {key} is missing; write one line of text, in quotation marks")
    parameters = values.get("parameters") or {}
    if not isinstance(parameters, dict):
        faults.append(f"{where}: parameters is no mapping; write one 'name: value' a line under it")
    timeout = values.get("timeout_seconds", Spec.timeout_seconds)
    if not isinstance(timeout, int) or isinstance(timeout, bool) or timeout < 1:
        faults.append(f"{where}: timeout_seconds is {timeout!r}; write a whole number of seconds")
    notebook = root / "notebooks" / f"{path.parent.name}.ipynb"
    if not notebook.is_file():
        there = sorted(p.stem for p in notebook.parent.glob("*.ipynb"))
        faults.append(
            f"{where}: there is no notebooks/{notebook.name}; "
            f"the folder of a spec names its notebook: {', '.join(there) or 'none yet'}"
        )
    if faults:
        raise SpecError(faults)
    return Spec(
        page=f"{path.parent.name}/{path.stem}",
        notebook=notebook,
        title=values["title"].strip(),
        question=values["question"].strip(),
        parameters={str(name): _plain(value) for name, value in parameters.items()},
        timeout_seconds=timeout,
        path=path,
    )


def check_specs(specs: Iterable[Spec]) -> None:
    """Raise SpecError with every parameter that its notebook does not have or take in that type.

    papermill itself only warns, and the page would be built as if nothing had been said.
    """
    faults = []
    for spec in specs:
        takes = _parameters(spec.notebook)
        where = f"reports/{spec.page}.yml" if spec.path else spec.page
        for name, value in spec.parameters.items():
            wanted = takes.get(name, "")
            if wanted in KINDS and not isinstance(value, KINDS[wanted]):
                faults.append(
                    f"{where}: {name} is {value!r}; {spec.notebook.name} takes a {wanted}"
                )
            if name not in takes:
                faults.append(
                    f"{where}: {spec.notebook.name} has no parameter {name!r}; "
                    f"it takes {', '.join(takes) or 'none'}"
                )
    if faults:
        raise SpecError(faults)


def _parameters(notebook: Path) -> dict[str, str]:
    """Return the parameters of a notebook, each with the type that its cell states."""
    import papermill

    logging.getLogger("papermill").setLevel(logging.WARNING)
    try:
        found = papermill.inspect_notebook(str(notebook))
        return {name: each["inferred_type_name"] for name, each in found.items()}
    except Exception as error:  # papermill and nbformat raise many kinds for a broken file
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise SpecError(
            f"notebooks/{notebook.name}: cannot be read ({reason}); open and save it in JupyterLab"
        ) from None


def _plain(value: Any) -> Any:
    """Return a YAML value as papermill can pass it on: dates as text."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)
