"""Beside the flow: a negotiation as its folder tells it, which every stage may ask.

`data/talks/<slug>/` holds open text: negotiation.yml, issues, rounds, milestones, positions and
stakes as CSV, dated notes as Markdown. A folder that breaks the schema is refused as a whole, with
every fault named.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import yaml

from tradegap.errors import DataError
from tradegap.project import project_root
from tradegap.tables import declared_tables, read_table, split_list, yaml_loader

__all__ = [
    "Negotiation",
    "list_negotiations",
    "project_root",
    "read_issues",
    "read_negotiation",
    "read_parties",
]

SHEETS = ("issues", "rounds", "milestones", "positions", "stakes")
KINDS = {
    "array": "a list of codes of data/parties.csv",
    "date": "a date as YYYY-MM-DD, without quotes",
    "object": "lines of the form 'key: value'",
    "string": "text (in quotes, where YAML would read something else)",
}
SHAPES = {
    "minItems": "two parties or more",
    "minLength": "a word at least",
    "pattern": "words, or for a URL an address that starts with https://",
    "uniqueItems": "each party once",
}


@dataclass(frozen=True)
class Negotiation:
    """One negotiation: who bargains over what, when they met, and how it ended.

    `issues`, `rounds`, `milestones`, `positions` and `stakes` are frames of the declared tables
    `negotiation_issues`, `rounds`, `milestones`, `positions` and `stakes`.
    """

    slug: str
    folder: Path
    title: str
    parties: tuple[str, ...]
    opened_on: date
    ended_on: date | None
    outcome: str
    mandate: str
    mandate_url: str
    about: str
    issues: pd.DataFrame
    rounds: pd.DataFrame
    milestones: pd.DataFrame
    positions: pd.DataFrame
    stakes: pd.DataFrame

    def covers(self, talks: str) -> bool:
        """Return whether what is said of some parties' talks is said of these.

        It is where they are all its parties or, of three and more, at least two; and where no
        party is named.

        >>> read_negotiation("nafta-2017").covers("Mexico;US")
        True
        >>> read_negotiation("us-japan-2019").covers("China;US")
        False
        """
        named = set(split_list(talks))
        return not named or (len(named) > 1 and named <= set(self.parties))


def read_issues() -> pd.DataFrame:
    """Return one row per issue of the code list."""
    return read_table(project_root() / "data" / "issues.csv", "issues")


def read_parties() -> pd.DataFrame:
    """Return one row per party of the code list."""
    return read_table(project_root() / "data" / "parties.csv", "parties")


def list_negotiations() -> list[str]:
    """Return the slugs of all negotiations: the folders of data/talks, sorted."""
    talks = project_root() / "data" / "talks"
    return sorted(each.name for each in talks.iterdir() if (each / "negotiation.yml").is_file())


def read_negotiation(slug: str) -> Negotiation:
    """Return the negotiation of one folder of data/talks.

    Raises DataError with all faults of all its files at once, each with file, line or row, what
    was found and what would do.
    """
    folder = project_root() / "data" / "talks" / slug
    if not slug or not (folder / "negotiation.yml").is_file():
        raise DataError(
            f"data/talks/{slug}: no negotiation.yml there; the negotiations are "
            f"{', '.join(list_negotiations())}"
        )
    faults: list[str] = []
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", slug):
        faults.append(f"{folder}: its name takes small letters, digits and hyphens")
    head: dict[str, Any] = {}
    frames: dict[str, pd.DataFrame] = {}
    try:
        head = read_head(folder / "negotiation.yml")
    except DataError as error:
        faults += error.faults
    for sheet in SHEETS:
        name = "negotiation_issues" if sheet == "issues" else sheet
        try:
            frames[sheet] = read_table(folder / f"{sheet}.csv", name)
        except DataError as error:
            faults += error.faults
    if head and len(frames) == len(SHEETS):
        faults += crosscheck(folder, head, frames)
    if faults:
        root = str(project_root()) + os.sep
        raise DataError([fault.replace(root, "") for fault in faults])
    return Negotiation(
        slug=slug,
        folder=folder,
        title=head["title"],
        parties=tuple(head["parties"]),
        opened_on=head["opened_on"],
        ended_on=head.get("ended_on"),
        outcome=head.get("outcome", ""),
        mandate=head.get("mandate", "").strip(),
        mandate_url=head.get("mandate_url", ""),
        about=head["about"].strip(),
        **frames,
    )


@cache
def head_schema() -> dict[str, Any]:
    """Return the JSON Schema of negotiation.yml."""
    text = (files("tradegap") / "negotiation.schema.yml").read_text(encoding="utf-8")
    schema: dict[str, Any] = yaml.load(text, yaml_loader(text))
    return schema


def read_head(path: Path) -> dict[str, Any]:
    """Return the contents of a negotiation.yml that its schema accepts."""
    content, lines = load_yaml(path)
    types = jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "date", lambda _, value: type(value) is date
    )
    validator = jsonschema.validators.extend(jsonschema.Draft202012Validator, type_checker=types)
    checker = validator(head_schema())
    faults = []
    for error in sorted(checker.iter_errors(content), key=lambda each: list(map(str, each.path))):
        key = str(error.path[0]) if error.path else ""
        line = lines.get(key, 1)
        value = str(error.instance) if isinstance(error.instance, date) else repr(error.instance)
        found = f"{key}: found {value}; " if error.path else ""
        faults.append(f"{path}:line {line}: {found}{remedy(error)}")
    if faults:
        raise DataError(list(dict.fromkeys(faults)))
    return dict(content)


def remedy(error: jsonschema.ValidationError) -> str:
    """Return what would do, for one fault that jsonschema found."""
    if error.validator == "additionalProperties":
        known = ", ".join(head_schema()["properties"])
        strange = ", ".join(
            sorted(map(str, set(error.instance) - set(head_schema()["properties"])))
        )
        return f"does not know the key {strange}; it takes {known}"
    if error.validator == "required":
        lacking = [key for key in error.validator_value if key not in error.instance]
        return f"lacks the key {', '.join(lacking)}"
    if error.validator == "type":
        return f"it takes {KINDS[error.validator_value]}"
    if error.validator == "enum":
        return f"it takes one of: {', '.join(error.validator_value)}"
    return f"it takes {SHAPES[error.validator]}"


def load_yaml(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """Return the mapping that a YAML file holds, and the line on which each of its keys stands.

    Raises DataError with the line where the file is no YAML, repeats a key or is no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
        node = yaml.compose(text, Loader=yaml_loader(text))
        content = yaml.load(text, yaml_loader(text))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8"
        ) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); it takes a file") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f":line {mark.line + 1}" if mark else ""
        what = " ".join((getattr(error, "problem", None) or str(error)).split())
        raise DataError(f"{path}{where}: is no valid YAML ({what})") from None
    if not isinstance(node, yaml.MappingNode):
        raise DataError(f"{path}:line 1: found no mapping; it takes lines of the form 'key: value'")
    lines: dict[str, int] = {}
    for key, _ in node.value:
        line = key.start_mark.line + 1
        if key.value in lines:
            raise DataError(
                f"{path}:line {line}: the key '{key.value}' stands on line {lines[key.value]}"
                " already; keep one"
            )
        lines[key.value] = line
    return content, lines


def crosscheck(folder: Path, head: dict[str, Any], frames: dict[str, pd.DataFrame]) -> list[str]:
    """Return the faults that only show between the files of one folder."""
    faults = []
    parties = set(read_parties()["party"])
    for party in head["parties"]:
        if party not in parties:
            faults.append(
                f"{folder / 'negotiation.yml'}: parties: found '{party}'; data/parties.csv has"
                f" {', '.join(sorted(parties))}"
            )
    if "ended_on" in head and head["ended_on"] < head["opened_on"]:
        faults.append(
            f"{folder / 'negotiation.yml'}: ended_on {head['ended_on']} is before opened_on"
            f" {head['opened_on']}"
        )
    codes = {
        "issues": set(read_issues()["issue_id"]),
        "negotiation_issues": set(frames["issues"]["issue_id"]),
    }
    if "outcome" not in head and "ended_on" in head:
        faults.append(
            f"{folder / 'negotiation.yml'}: ended_on {head['ended_on']} without an outcome; say how"
            " the talks ended, or leave ended_on out while they go on"
        )
    if "overall" not in codes["negotiation_issues"]:
        faults.append(
            f"{folder / 'issues.csv'}: has no row 'overall', the talks as a whole; add one"
        )
    for sheet in SHEETS:
        table = declared_tables()["negotiation_issues" if sheet == "issues" else sheet]
        for column, target in table.refers_to.items():
            for row, value in frames[sheet][column].items():
                if value not in codes[target]:
                    faults.append(
                        f"{folder / sheet}.csv:row {int(str(row)) + 2}: column '{column}' found"
                        f" '{value}'; it takes one of: {', '.join(sorted(codes[target]))}"
                    )
    for row, each in enumerate(frames["rounds"].itertuples(), start=2):
        if each.held_on < pd.Timestamp(head["opened_on"]):
            faults.append(
                f"{folder / 'rounds.csv'}:row {row}: held_on {each.held_on:%Y-%m-%d} is before the"
                f" talks opened on {head['opened_on']}"
            )
        if each.ended_on < each.held_on:
            faults.append(
                f"{folder / 'rounds.csv'}:row {row}: ended_on {each.ended_on:%Y-%m-%d} is before"
                f" held_on {each.held_on:%Y-%m-%d}"
            )
    for row, each in enumerate(frames["issues"].itertuples(), start=2):
        if each.outcome_on < pd.Timestamp(head["opened_on"]):
            faults.append(
                f"{folder / 'issues.csv'}:row {row}: outcome_on {each.outcome_on:%Y-%m-%d} is"
                f" before the talks opened on {head['opened_on']}"
            )
        if bool(each.outcome) != pd.notna(each.outcome_on):
            faults.append(
                f"{folder / 'issues.csv'}:row {row}: outcome '{each.outcome}' without outcome_on,"
                " or the other way round; fill both or neither"
            )
    for sheet, column in (("positions", "party"), ("stakes", "applied_by")):
        for row, party in enumerate(frames[sheet][column], start=2):
            if party not in head["parties"]:
                faults.append(
                    f"{folder / sheet}.csv:row {row}: column '{column}' found '{party}'; the"
                    f" parties are {', '.join(head['parties'])}"
                )
    return faults
