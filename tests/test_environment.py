"""One dependency list: pyproject.toml; the lock pins it, environment.yml points at it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")


def test_environment_yml_asks_for_what_pyproject_lists_and_nothing_else():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))

    conda = [item for item in environment["dependencies"] if isinstance(item, str)]
    (pip,) = [item["pip"] for item in environment["dependencies"] if isinstance(item, dict)]

    assert conda == [f"python{PROJECT['requires-python']}", "pip"]
    assert len(pip) == 1
    extras = re.fullmatch(r"--editable \.\[([a-z,]+)\]", pip[0])
    assert set(extras[1].split(",")) == set(PROJECT["optional-dependencies"])


def test_the_lock_pins_every_dependency_at_a_version_that_pyproject_allows():
    pins = dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", LOCK, flags=re.MULTILINE))
    listed = [*PROJECT["dependencies"], *chain(*PROJECT["optional-dependencies"].values())]

    for requirement in map(Requirement, listed):
        pin = pins.get(canonicalize_name(requirement.name))
        assert pin is not None, f"{requirement.name} is not in requirements.lock; make lock"
        assert requirement.specifier.contains(pin), f"{requirement}: locked {pin}; make lock"


def test_every_pin_of_the_lock_has_a_hash_and_the_lock_names_no_host():
    pins = re.split(r"^(?=[a-z0-9])", LOCK, flags=re.MULTILINE)[1:]

    assert len(pins) > 100
    assert [pin.split()[0] for pin in pins if "--hash=sha256:" not in pin] == []
    assert not re.search(r"https?://|file:|--index-url|--find-links|@ ", LOCK)


@pytest.mark.parametrize(("version", "exit_code"), [("Python 3.10.13", 1), ("", 127)])
def test_a_python_that_is_too_old_or_absent_is_refused_in_one_line(tmp_path, version, exit_code):
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\necho '{version}'; [ \"$1\" = --version ] || exit {exit_code}\n")
    python.chmod(0o755 if version else 0o644)

    run = subprocess.run(
        ["sh", str(ROOT / "toolkit" / "venv.sh")],
        env={"PYTHON": str(python), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1
    assert "needs Python 3.11 or newer" in run.stderr
    assert version in run.stderr


def test_every_make_target_is_phony_with_a_help_text_and_a_one_line_recipe():
    blocks = re.findall(
        r"^\.PHONY: (\w+)\n(\w+):[^#\n]*## .+\n((?:\t.*\n)+)",
        (ROOT / "Makefile").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )

    listed = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)

    assert [phony for phony, target, _ in blocks if phony != target] == []
    assert [target for _, target, recipe in blocks if recipe.count("\n") != 1] == []
    names = re.findall(r"^  make (\w+)", listed.stdout, flags=re.MULTILINE)
    assert names == [target for _, target, _ in blocks]
    assert {"reports", "test", "lab", "check", "verify", "score", "lock", "clean"} <= {*names}
