"""Outside the flow: the errors that a user may see, as one small tree.

    TradegapError
    ├── DataError      a data file that the schema or a cross-check refuses
    ├── DocumentError  a document that cannot be taken in
    ├── SpecError      a page spec that cannot be built as it stands
    ├── PageError      a page whose notebook failed; the last good page stays
    ├── FetchError     another server gave nothing that can be used; what was there stays
    └── BusyError      a build folder in which another build is under way

Each message says where, what was found, and what would do. The command line prints the message
alone and exits with 1; a traceback is for our own mistakes.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "BusyError",
    "DataError",
    "DocumentError",
    "FetchError",
    "PageError",
    "SpecError",
    "TradegapError",
]


class TradegapError(Exception):
    """Any error that is the user's to mend: one line a fault, no traceback.

    >>> str(TradegapError(["a.csv:row 2: 'x' is no date", "a.csv:row 3: empty"]))
    "a.csv:row 2: 'x' is no date\\na.csv:row 3: empty"
    """

    def __init__(self, faults: str | Sequence[str]) -> None:
        """Take one fault, or all that were found at once."""
        self.faults = [faults] if isinstance(faults, str) else list(faults)
        super().__init__("\n".join(self.faults))


class DataError(TradegapError):
    """A data file that the schema or a cross-check refuses."""


class DocumentError(TradegapError):
    """A document that cannot be taken in."""


class SpecError(TradegapError):
    """A page spec that cannot be built as it stands."""


class PageError(TradegapError):
    """A page whose notebook failed; the last good page stays in place."""


class FetchError(TradegapError):
    """Another server gave nothing that can be used; what was there before stays."""


class BusyError(TradegapError):
    """A build folder in which another build is under way."""
