"""Between record and page: of a document that is an analyst's own, a few words and no more.

A private document's words leave the record here and nowhere else: panels and figures read the
signals that `excerpt_signals` returns. What holds, on every page and in every CSV:

    of a sentence   at most SENTENCE_WORDS words, in one piece
    of a document   at most DOCUMENT_PCT per cent of its words, and at most DOCUMENT_WORDS
    between pieces  at least SENTENCE_WORDS words are left out

Copies of one story are one document. A word is a run of letters or digits, so "U.S." is two.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pandas as pd

from tradegap.coding import find_uncoded
from tradegap.coding.sentences import split_sentences

if TYPE_CHECKING:
    from tradegap.documents import Document

__all__ = ["DOCUMENT_PCT", "DOCUMENT_WORDS", "HIDDEN", "SENTENCE_WORDS", "excerpt_signals"]

SENTENCE_WORDS = 25
# Two or three sentences of a short story: enough to check the surest signals by, and no stand-in
# for the story. The cap, four whole pieces, keeps a long report from being mined for more.
DOCUMENT_PCT = 15
DOCUMENT_WORDS = 100
SHORTEST_PIECE = 8  # of a longer sentence, fewer words than these say nothing
HIDDEN = "…"
WORD = re.compile(r"\w+")
WORDED = ("text", "forward_text", "pace_text", "why")


def excerpt_signals(signals: pd.DataFrame, documents: Iterable[Document]) -> pd.DataFrame:
    """Return the same signals (table `accepted_signals`), private words cut to what may be shown.

    The surest signals of a document are quoted first. "…" stands for words that are not shown;
    forward and pace text is shown only as part of its sentence's piece, and a cue is not named
    where its name would tell words that the piece leaves out.
    """
    private = signals[signals["is_private"]]
    if private.empty:
        return signals
    texts = {each.sha256: each for each in documents}
    pieces: dict[tuple[str, int, int], str] = {}
    for sha256 in private.drop_duplicates("story")["sha256"]:
        pieces |= choose_pieces(texts[sha256], private[private["sha256"] == sha256])
    rows = [
        cut_signal(row, pieces.get((row["sha256"], row["start"], row["end"]), ""))
        if row["is_private"]
        else row
        for row in signals.to_dict("records")
    ]
    return signals.assign(**{column: [row[column] for row in rows] for column in WORDED})


def choose_pieces(document: Document, signals: pd.DataFrame) -> dict[tuple[str, int, int], str]:
    """Return the piece to show of each quoted sentence of one document: by hash, start and end.

    In a document without English prose nothing is quoted: its words may not be parted by spaces.
    """
    if find_uncoded([document]):
        return {}
    words = [
        word.span()
        for each in split_sentences(document.text, document.blocks)
        for word in WORD.finditer(document.text, each.start, each.end)
    ]
    starts, ends = [start for start, _ in words], [end for _, end in words]
    left = min(DOCUMENT_WORDS, len(words) * DOCUMENT_PCT // 100)
    taken: list[tuple[int, int]] = []
    pieces = {}
    surest = signals.sort_values(["confidence", "start"], ascending=[False, True], kind="stable")
    for row in surest.drop_duplicates(["start", "end"]).to_dict("records"):
        low, high = told_span(row, document.text)
        first, last = bisect_left(starts, low), bisect_right(ends, high)
        stop = min(last, first + min(left, SENTENCE_WORDS))
        is_apart = all(
            first >= end + SENTENCE_WORDS or stop + SENTENCE_WORDS <= begin for begin, end in taken
        )
        if stop - first < max(1, min(last - first, SHORTEST_PIECE)) or not is_apart:
            continue
        taken.append((first, stop))
        left -= stop - first
        piece = document.text[low : high if stop == last else ends[stop - 1]]
        before = f"{HIDDEN} " if low > row["start"] else ""
        after = f" {HIDDEN}" if stop < last or high < row["end"] else ""
        pieces[document.sha256, row["start"], row["end"]] = before + tidy(piece) + after
    return pieces


def told_span(row: dict[str, Any], text: str) -> tuple[int, int]:
    """Return from where to where a signal is told: of a bare forward event, its own words."""
    at = text.find(row["forward_text"], row["start"], row["end"]) if row["forward_text"] else -1
    if row["direction"] == "none" and at >= 0:
        return at, at + len(row["forward_text"])
    return row["start"], row["end"]


def cut_signal(row: dict[str, Any], piece: str) -> dict[str, Any]:
    """Return a private signal with no words but those of its piece.

    >>> row = {"text": "Gaps remain, he said.", "forward_text": "", "pace_text": "he said",
    ...        "why": "gaps remain +1.20;always -4.00"}
    >>> list(cut_signal(row, "").values())
    ['…', '', '…', 'a cue +1.20;always -4.00']
    >>> list(cut_signal(row, "Gaps remain …").values())
    ['Gaps remain …', '', '…', 'gaps remain +1.20;always -4.00']
    """
    cut = {
        column: row[column] if tidy(row[column]) in piece else HIDDEN
        for column in ("forward_text", "pace_text")
    }
    sentence, shown = read_words(row["text"]), read_words(piece)
    signs = []
    for sign in row["why"].split(";"):
        name, _, weight = sign.rpartition(" ")
        is_told = read_words(name) <= sentence and not read_words(name) <= shown
        signs.append(f"a cue {weight}" if is_told else sign)
    return row | cut | {"text": piece or HIDDEN, "why": ";".join(signs)}


def read_words(text: str) -> set[str]:
    """Return the words of a text, each once, in small letters."""
    return set(WORD.findall(text.lower()))


def tidy(text: str) -> str:
    """Return a text on one line."""
    return " ".join(text.split())
