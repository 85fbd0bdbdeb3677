"""What the tests of several stages need."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared() -> Path:
    """Return the folder of development texts and gold codings that stands beside the clone.

    They are other people's texts and so not in the repository: without them a test that needs
    them is skipped, but in CI, which has them, their absence is a failure.
    """
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        reason = "the development texts are not beside this clone (../shared)"
        if os.environ.get("TRADEGAP_CI") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder
