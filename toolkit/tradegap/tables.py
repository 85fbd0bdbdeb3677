"""Under every stage: the declared tables, and what holds a file or a frame to its declaration.

`tables.yml` declares each table once, as a Frictionless Table Schema. A CSV file that breaks its
declaration is refused with every fault named; a frame between two stages is conformed to it.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from tradegap.errors import DataError

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "Field",
    "Table",
    "conform",
    "declared_tables",
    "empty",
    "find_table",
    "read_table",
    "render_dictionary",
    "split_list",
    "yaml_loader",
]

DTYPES = {
    "string": "str",
    "date": "datetime64[us]",
    "integer": "int64",
    "number": "float64",
    "boolean": "bool",
}
FAST_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, with libyaml
SHALLOW = 4000  # characters; libyaml ends the process where a longer text nests too deeply
BOUNDS = (("minimum", "from"), ("maximum", "to"))
KINDS = {
    "date": "a date as YYYY-MM-DD, from 1900 to 2099",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


@dataclass(frozen=True)
class Field:
    """One column: its name, type, meaning and constraints."""

    name: str
    type: str
    description: str
    constraints: dict[str, Any] = field(default_factory=dict)

    def fault(self, value: str) -> str:
        """Return what is wrong with one cell of a CSV file; an empty string if nothing is."""
        if not value:
            return "is empty; it is required" if self.constraints.get("required") else ""
        parsed = parse(value, self.type)
        if parsed is None:
            return f"found '{value}'; it takes {KINDS[self.type]}"
        allowed = self.constraints.get("enum")
        if allowed and value not in allowed:
            return f"found '{value}'; it takes one of: {', '.join(allowed)}"
        pattern = self.constraints.get("pattern")
        if pattern and not re.fullmatch(pattern, value):
            return f"found '{value}'; it takes the form {pattern}"
        low, high = self.constraints.get("minimum"), self.constraints.get("maximum")
        if (low is not None and parsed < low) or (high is not None and parsed > high):
            return f"found '{value}'; it takes {low} to {high if high is not None else 'any'}"
        return ""


@dataclass(frozen=True)
class Table:
    """One declared table: what a row is, its columns, its key, and the tables it points to."""

    name: str
    title: str
    path: str
    key: tuple[str, ...]
    fields: tuple[Field, ...]
    refers_to: dict[str, str]
    reading: dict[str, Any] = field(default_factory=dict)

    @property
    def columns(self) -> list[str]:
        """The column names, in order."""
        return [each.name for each in self.fields]


@cache
def declared_tables() -> dict[str, Table]:
    """Return every declared table by name.

    >>> declared_tables()["issues"].columns
    ['issue_id', 'issue', 'definition']
    """
    text = (files("tradegap") / "tables.yml").read_text(encoding="utf-8")
    declared = yaml.load(text, FAST_LOADER)
    tables: dict[str, Table] = {}
    for name, body in declared.items():
        base = tables[body["extends"]].fields if "extends" in body else ()
        own = tuple(Field(**each) for each in body["fields"])
        tables[name] = Table(
            name=name,
            title=body["title"],
            path=body.get("path", ""),
            key=tuple(body["primaryKey"]),
            fields=base + own,
            refers_to=body.get("foreignKeys", {}),
            reading=body.get("reading", {}),
        )
    return tables


def find_table(header: Sequence[str]) -> Table | None:
    """Return the declared table that has exactly these columns; None where there is none.

    >>> find_table(["issue_id", "issue", "definition"]).name
    'issues'
    """
    return next((each for each in declared_tables().values() if each.columns == [*header]), None)


def yaml_loader(text: str) -> type[Any]:
    """Return the loader to read YAML of somebody else's with."""
    loader: type[Any] = FAST_LOADER if len(text) <= SHALLOW else yaml.SafeLoader
    return loader


def parse(value: str, kind: str) -> Any:
    """Return a CSV cell as its declared type, or None where it is not of that type.

    >>> parse("2019-02-30", "date") is None, parse("3", "integer")
    (True, 3)
    """
    if kind == "string":
        return value
    if kind == "boolean":
        return {"true": True, "false": False}.get(value)
    try:
        if kind == "integer":
            return int(value) if re.fullmatch(r"-?[0-9]{1,15}", value) else None
        if kind == "number":
            return float(value) if math.isfinite(float(value)) else None
        if not re.fullmatch(r"(19|20)[0-9]{2}-[0-9]{2}-[0-9]{2}", value):
            return None
        import pandas as pd

        return pd.Timestamp(value)
    except ValueError:
        return None


def split_list(joined: str) -> list[str]:
    """Return the members of a list that a cell holds joined by ';'.

    >>> split_list("autos; auto_parts"), split_list("")
    (['autos', 'auto_parts'], [])
    """
    return [part.strip() for part in joined.split(";") if part.strip()]


def empty(name: str) -> pd.DataFrame:
    """Return a frame of no rows with the table's columns and types.

    >>> empty("issues").shape
    (0, 3)
    """
    import pandas as pd

    fields = declared_tables()[name].fields
    return pd.DataFrame({each.name: pd.Series(dtype=DTYPES[each.type]) for each in fields})


def conform(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the frame with exactly the table's columns, in order and of their types.

    Raises DataError where a column is missing, a type does not fit, or a key repeats. Missing
    strings become ""; missing dates stay NaT.

    >>> import pandas as pd
    >>> conform(pd.DataFrame({"issue": ["Autos"], "definition": [None], "issue_id": ["autos"]}),
    ...         "issues").to_dict("records")
    [{'issue_id': 'autos', 'issue': 'Autos', 'definition': ''}]
    """
    import pandas as pd

    table = declared_tables()[name]
    missing = [column for column in table.columns if column not in frame.columns]
    if missing:
        raise DataError(f"table {name}: no column {', '.join(missing)}; it takes {table.columns}")
    columns = {}
    for each in table.fields:
        values = frame[each.name]
        if each.type == "string" and (values.dtype != "str" or values.hasnans):
            values = values.astype("object").where(values.notna(), "")
        try:
            columns[each.name] = values.astype(DTYPES[each.type])
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f"table {name}: column '{each.name}': {error}") from None
        allowed = each.constraints.get("enum")
        if allowed and not columns[each.name].isin([*allowed, ""]).all():
            strange = sorted(set(columns[each.name]) - {*allowed, ""})
            raise DataError(
                f"table {name}: column '{each.name}': found {strange}; it takes {allowed}"
            )
    conformed = pd.DataFrame(columns).reset_index(drop=True)
    repeated = conformed.duplicated(list(table.key)) if table.key else pd.Series(dtype=bool)
    if repeated.any():
        row = conformed.loc[repeated, list(table.key)].iloc[0].tolist()
        raise DataError(f"table {name}: the key {list(table.key)} repeats: {row}")
    return conformed


def read_table(path: Path, name: str) -> pd.DataFrame:
    """Return the rows of a CSV file, as the declared table.

    Raises DataError with one line a fault: file, row (the header is row 1), column, what was found
    and what would do.
    """
    import pandas as pd

    table = declared_tables()[name]
    rows, faults = read_rows(path, table)
    seen: dict[tuple[str, ...], int] = {}
    for number, row in rows:
        for each in table.fields:
            problem = each.fault(row[each.name])
            if problem:
                faults.append(f"{path}:row {number}: column '{each.name}' {problem}")
        key = tuple(row[column] for column in table.key)
        if key in seen:
            faults.append(
                f"{path}:row {number}: column '{table.key[0]}' found '{key[0]}', which row"
                f" {seen[key]} has already; it must be unique"
            )
        seen.setdefault(key, number)
    if faults:
        raise DataError(faults)
    frame = empty(name)
    typed = {
        each.name: [parse(row[each.name], each.type) if row[each.name] else None for _, row in rows]
        for each in table.fields
    }
    return conform(pd.DataFrame(typed), name) if rows else frame


def read_rows(path: Path, table: Table) -> tuple[list[tuple[int, dict[str, str]]], list[str]]:
    """Return the numbered rows of a CSV file as text, and the faults of its shape."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; it takes a CSV of {table.columns}") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); it takes a CSV file") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    records: list[list[str]] = []
    faults: list[str] = []
    try:
        records += reader
    except csv.Error as error:
        faults.append(
            f"{path}:row {len(records) + 1}: is no CSV ({error}); a cell with a double quote in it"
            " is wrapped in double quotes, and the quote doubled"
        )
    while records and not any(cell.strip() for cell in records[-1]):
        records.pop()
    header = records[0] if records else []
    if header != table.columns:
        if faults and not records:
            raise DataError(faults)
        lacks = [column for column in table.columns if column not in header]
        extra = [column for column in header if column not in table.columns]
        raise DataError(
            f"{path}:row 1: found the columns {header}; it takes {table.columns} in this order"
            + (f" (lacks {lacks})" if lacks else "")
            + (f" (does not know {extra})" if extra else "")
            + ("; part the cells with commas" if len(header) == 1 else "")
        )
    rows = []
    for number, cells in enumerate(records[1:], start=2):
        if not any(cell.strip() for cell in cells):
            faults.append(f"{path}:row {number}: is blank; delete it")
            continue
        if len(cells) != len(header):
            faults.append(
                f"{path}:row {number}: found {len(cells)} cells; it takes {len(header)}"
                " (a comma inside a cell needs double quotes around the cell)"
            )
            continue
        rows.append((number, dict(zip(header, (cell.strip() for cell in cells), strict=True))))
    return rows, faults


def render_dictionary() -> str:
    """Return the data dictionary: every declared table and column, as Markdown.

    >>> render_dictionary().splitlines()[0]
    '# Data dictionary'
    """
    lines = [
        "# Data dictionary",
        "",
        "Rendered from `toolkit/tradegap/tables.yml` by `make docs`; edit that file, not this one.",
        "A list inside a cell is joined by `;`. Dates are YYYY-MM-DD.",
    ]
    for table in declared_tables().values():
        where = f" File: `{table.path}`." if table.path else ""
        key = ", ".join(f"`{column}`" for column in table.key)
        lines += ["", f"## `{table.name}`", "", f"{table.title}.{where}"]
        lines += [f"Key: {key}." if key else "No key: rows are in the order they were written."]
        lines += ["", "| column | type | meaning | values |", "|---|---|---|---|"]
        for each in table.fields:
            rules = each.constraints
            values = "; ".join(
                [f"`{value}`" for value in rules.get("enum", [])]
                + [f"{word} {rules[rule]}" for rule, word in BOUNDS if rule in rules]
                + ["required"] * bool(rules.get("required"))
            )
            lines.append(f"| `{each.name}` | {each.type} | {each.description} | {values} |")
    return "\n".join(lines) + "\n"
