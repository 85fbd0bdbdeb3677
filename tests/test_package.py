"""Promises about the package as a whole: its order, its public names, its words."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import tradegap
from tradegap.tables import declared_tables, render_dictionary

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "toolkit" / "tradegap"
# One direction: a stage may import from those before it, never from those after.
ORDER = [
    *("errors", "project", "tables", "talks", "documents", "coding", "kept", "review", "imports"),
    *("gaps", "excerpts", "record", "trial", "audit", "svg", "charts", "panels", "audit_page"),
    *("specs", "pages", "provenance", "publish"),
    *("engine", "workers", "build", "progress", "verify", "cli"),
]


def imports_of(path):
    """Yield the tradegap modules that a file imports, at whatever depth of the file."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tradegap."):
            yield node.module.split(".")[1]


def test_the_order_names_every_module():
    found = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    found |= {path.parent.name for path in PACKAGE.glob("*/__init__.py")}

    assert found == set(ORDER)


@pytest.mark.parametrize("stage", ORDER)
def test_a_stage_imports_only_from_those_before_it(stage):
    files = [PACKAGE / f"{stage}.py", *(PACKAGE / stage).glob("*.py")]
    earlier = set(ORDER[: ORDER.index(stage) + 1])

    used = {name for path in files if path.is_file() for name in imports_of(path)}

    assert used <= earlier


def test_every_public_name_is_there_and_documented():
    undocumented = [name for name in tradegap.__all__ if not getattr(tradegap, name).__doc__]

    assert len(set(tradegap.__all__)) == len(tradegap.__all__)
    assert undocumented == []


def test_an_unknown_public_name_is_refused():
    with pytest.raises(AttributeError, match="tradegap has no 'gap_utils'"):
        _ = tradegap.gap_utils


def test_importing_tradegap_costs_nothing():
    code = "import sys, tradegap; print({'pandas', 'altair', 'papermill'} & set(sys.modules))"

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "set()"


def test_the_data_dictionary_is_rendered_from_the_declared_tables():
    written = (ROOT / "docs" / "data-dictionary.md").read_text(encoding="utf-8")

    assert written == render_dictionary()
    assert all(f"`{name}`" in written for name in declared_tables())
