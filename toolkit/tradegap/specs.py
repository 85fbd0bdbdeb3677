"""Last stage but one: what to build. A page is `reports/<notebook>/<name>.yml`, one spec.

A spec with `for_each` is a page for each negotiation, main round or issue. Everything that a spec
can get wrong is found here, before anything starts.
"""

from __future__ import annotations

import difflib
import importlib
import logging
import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from tradegap import each as kinds
from tradegap.errors import SpecError

__all__ = ["Spec", "check_specs", "import_jsonschema", "read_spec", "read_specs"]


KINDS: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "list": (list,),
    "dict": (dict,),
}


class SpecLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Reads a spec's YAML as it looks: 01234 and 12:30 are text, not numbers in base 8 and 60."""


NUMBERS = {
    "tag:yaml.org,2002:int": r"[-+]?(?:0|[1-9][0-9]*)",
    "tag:yaml.org,2002:float": r"[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?",
}
SpecLoader.yaml_implicit_resolvers = {
    first: [each for each in found if each[0] not in NUMBERS]
    for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for tag, pattern in NUMBERS.items():
    SpecLoader.add_implicit_resolver(tag, re.compile(f"^{pattern}$"), list("-+.0123456789"))


@dataclass(frozen=True)
class Spec:
    """One page to build: what `reports/<notebook>/<name>.yml` says, or says for each of many."""

    page: str
    notebook: Path
    title: str
    question: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timeout_seconds: int = 120
    memory_mb: int = 4096
    path: Path | None = None

    @property
    def source(self) -> str:
        """The spec's file as messages name it; the page itself where it has none."""
        name = self.path.name if self.path else ""
        return f"reports/{self.page.partition('/')[0]}/{name}" if name else self.page


def read_specs(root: Path) -> list[Spec]:
    """Return one spec per page of `reports/`, sorted by page; raise SpecError with every fault.

    A page of a `for_each` gives way to one that has a spec of its own.
    """
    specs: dict[str, Spec] = {}
    made: list[Spec] = []
    faults = []
    for path in sorted((root / "reports").glob("*/*.yml")):
        try:
            found, is_each = read_spec(path, root=root)
        except SpecError as error:
            faults += error.faults
            continue
        if is_each:
            made += found
        else:
            specs |= {one_name(spec.page): spec for spec in found}
    own = set(specs)
    for spec in made:
        other = specs.setdefault(one_name(spec.page), spec)
        if other is not spec and one_name(spec.page) not in own:
            faults.append(
                f"{spec.source}: page gives {spec.page}, which {other.source} gives already;"
                " put a word into it that tells its pages apart"
            )
    if faults:
        raise SpecError(faults)
    return sorted(specs.values(), key=lambda spec: spec.page)


def one_name(page: str) -> str:
    """Return a page's name as any file system takes it, whatever it makes of case and accents."""
    return unicodedata.normalize("NFC", page).casefold()


def read_spec(path: Path, *, root: Path) -> tuple[list[Spec], bool]:
    """Return the specs of a file's pages and whether it is one for each of many.

    Raises SpecError with every fault of the file.
    """
    where = path.relative_to(root).as_posix()
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), SpecLoader)
    except UnicodeDecodeError as error:
        raise SpecError(f"{where}: not UTF-8 text ({error.reason}); save it as UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "cannot be read"
        raise SpecError(f"{where}{line}: no YAML ({problem}); compare with another spec") from None
    except ValueError as error:  # a date that no calendar has
        raise SpecError(f"{where}: no YAML ({error}); write a day that there is") from None
    if not isinstance(values, dict):
        raise SpecError(f"{where}: no keys found; a spec has title, question and parameters")
    faults = []
    known = ("for_each", "page", "title", "question", "parameters", "timeout_seconds", "memory_mb")
    if unknown := [str(key) for key in values if key not in known]:
        faults.append(f"{where}: unknown key {_listed(unknown)}; a spec takes {', '.join(known)}")
    for key in ("title", "question"):
        if not isinstance(values.get(key), str) or not values[key].strip():
            faults.append(f"{where}: {key} is missing; write one line of text, in quotation marks")
    parameters = values.get("parameters") or {}
    if not isinstance(parameters, dict):
        faults.append(f"{where}: parameters is no mapping; write one 'name: value' a line under it")
    faults += each_faults(values, where)
    limits = {}
    for key, unit in (("timeout_seconds", "seconds"), ("memory_mb", "megabytes")):
        limits[key] = values.get(key, getattr(Spec, key))
        if type(limits[key]) is not int or limits[key] < 1:
            faults.append(f"{where}: {key} is {limits[key]!r}; write a whole number of {unit}")
    notebook = root / "notebooks" / f"{path.parent.name}.ipynb"
    if not notebook.is_file():
        there = sorted(p.stem for p in notebook.parent.glob("*.ipynb"))
        faults.append(
            f"{where}: there is no notebooks/{notebook.name}; "
            f"the folder of a spec names its notebook: {', '.join(there) or 'none yet'}"
        )
    if faults:
        raise SpecError(faults)
    says = {
        "title": values["title"].strip(),
        "question": values["question"].strip(),
        "parameters": {str(name): _plain(value) for name, value in parameters.items()},
    }
    pages = [(path.stem, says)]
    if kind := values.get("for_each"):
        rows = kinds.list_each(kind, root)
        pages = [(kinds.fill(values["page"], row), kinds.fill(says, row)) for row in rows]
        for (name, _), row in zip(pages, rows, strict=True):
            if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]*", name):
                faults.append(
                    f"{where}: page gives {name!r} for {next(iter(row.values()))}; a page's name"
                    " takes small letters, digits, hyphens"
                )
        if faults:
            raise SpecError(faults)
    return [
        Spec(page=f"{path.parent.name}/{name}", notebook=notebook, **said, **limits, path=path)
        for name, said in pages
    ], bool(kind)


def each_faults(values: Mapping[str, Any], where: str) -> list[str]:
    """Return what is wrong with a spec as one for each of many; nothing where it is for one."""
    kind = values.get("for_each")
    if kind is None:
        return [f"{where}: page goes with for_each only; the file names the page"] * (
            "page" in values
        )
    if not isinstance(kind, str) or kind not in kinds.KINDS:
        return [f"{where}: for_each is {kind!r}; it takes one of {', '.join(kinds.KINDS)}"]
    if not re.fullmatch(r"[a-z0-9{][a-z0-9_{}.-]*", str(values.get("page", ""))):
        return [
            f"{where}: page is {values.get('page')!r}; with for_each it names the pages, in small"
            f" letters, as '{{{kinds.KINDS[kind][0]}}}'"
        ]
    return [
        f"{where}: {key} {fault}"
        for key in ("page", "title", "question", "parameters")
        if (fault := kinds.template_fault(values.get(key), kind))
    ]


def check_specs(specs: Iterable[Spec]) -> None:
    """Raise SpecError with every parameter that its notebook does not have or take so.

    papermill itself only warns, and the page would be built as if nothing had been said.
    """
    faults = []
    takes: dict[Path, dict[str, Parameter]] = {}
    for spec in specs:
        if spec.notebook not in takes:
            takes[spec.notebook] = _parameters(spec.notebook)
        known = takes[spec.notebook]
        where = spec.source
        for name, value in spec.parameters.items():
            if name in known:
                if fault := known[name].fault(value):
                    faults.append(f"{where}: {name} is {value!r}; {spec.notebook.name} {fault}")
                continue
            near = difflib.get_close_matches(name, known, n=1)
            meant = f"did you mean {near[0]!r}? " if near else ""
            faults.append(
                f"{where}: {spec.notebook.name} has no parameter {name!r}; {meant}"
                f"it takes {', '.join(known) or 'none'}"
            )
    if faults:
        raise SpecError(list(dict.fromkeys(faults)))


@dataclass(frozen=True)
class Parameter:
    """What a notebook's parameters cell says of one: its type, and in the comment its choices.

    A comment that begins with `one of all, notes;` lists what it takes, and one that says
    `YYYY-MM-DD;` asks for a day or nothing.
    """

    kind: str
    help: str

    def fault(self, value: Any) -> str:
        """Return what the notebook takes instead of a value; nothing where it takes that.

        >>> Parameter("str", "one of all, notes; whose documents").fault("note")
        "takes one of all, notes; did you mean 'notes'?"
        >>> Parameter("str", "the day, YYYY-MM-DD; empty for the latest").fault("2019-02-30")
        'takes a day, as YYYY-MM-DD'
        """
        taken = KINDS.get(self.kind.partition("[")[0])
        if taken and (not isinstance(value, taken) or (type(value) is bool and bool not in taken)):
            return f"takes a {self.kind}"
        if found := re.match(r"one of ([^;]+)(?:;|$)", self.help):
            choices = [each.strip() for each in found[1].split(",")]
            if str(value) not in choices:
                near = difflib.get_close_matches(str(value), choices, n=1)
                return f"takes one of {found[1]}" + (f"; did you mean {near[0]!r}?" if near else "")
        if re.search(r"YYYY-MM-DD(?:;|$)", self.help) and value != "" and not _is_day(str(value)):
            return "takes a day, as YYYY-MM-DD"
        return ""


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _parameters(notebook: Path) -> dict[str, Parameter]:
    """Return the parameters of a notebook, as papermill finds them."""
    import_jsonschema()
    import papermill

    logging.getLogger("papermill").setLevel(logging.WARNING)
    try:
        found = papermill.inspect_notebook(str(notebook))
        return {
            name: Parameter(each["inferred_type_name"], each["help"])
            for name, each in found.items()
        }
    except Exception as error:  # papermill and nbformat raise many kinds for a broken file
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise SpecError(
            f"notebooks/{notebook.name}: cannot be read ({reason}); open and save it in JupyterLab"
        ) from None


def import_jsonschema() -> None:
    """Import jsonschema, which papermill needs, without what makes it slow to import.

    Beside JupyterLab it finds a grammar of addresses, and compiles it for a second, to check a
    format that no notebook's schema states.
    """
    grammar = "rfc3987_syntax"
    if not {"jsonschema", grammar} & set(sys.modules):
        sys.modules[grammar] = None  # type: ignore[assignment]
        try:
            importlib.import_module("jsonschema")
        finally:
            del sys.modules[grammar]


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
