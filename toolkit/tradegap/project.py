"""Beside the flow: where the project lies. It imports nothing else, to answer at once."""

from __future__ import annotations

import os
from pathlib import Path

from tradegap.errors import DataError

__all__ = ["project_root"]


def project_root() -> Path:
    """Return the folder that holds data/talks: TRADEGAP_ROOT, or the nearest one upwards.

    Without one above the working directory, the folder that the package was installed from.
    Raises DataError where none of them holds data/talks.
    """
    named = os.environ.get("TRADEGAP_ROOT")
    here = Path.cwd()
    installed = Path(__file__).resolve().parents[2]
    for folder in [Path(named)] if named else [here, *here.parents, installed]:
        if (folder / "data" / "talks").is_dir():
            return folder
    raise DataError(f"{named or here}: no data/talks here or above; run inside a tradegap checkout")
