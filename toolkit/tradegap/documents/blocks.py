"""First stage: text in, its paragraphs marked as title, text, list, caption or boilerplate.

Nothing is taken out of a text, so that offsets stay true: what is not the article's own prose is
marked, and the coder passes it over. The patterns are data (`cues/boilerplate.csv`), each with an
example; only the reasoning about where a section starts and ends is here.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from functools import cache, lru_cache
from importlib.resources import files

from tradegap.documents.model import Block

__all__ = ["cue_rows", "mark", "matches", "paragraphs", "searches"]

BLANK = " \t\r\n\f\v\ufeff\u00a0\u200b"
BULLET = re.compile(
    r"[ \t\u00a0]*(?:[•◦▪‣·●*–—-]|--)[ \t\u00a0]+(?=\S)"
    r"|[ \t\u00a0]*\(?(?:\d{1,2}|[a-z])[.)][ \t]+(?=\S)"
)
ENDS_SENTENCE = re.compile(r"[.!?…:;][\"'”’)\]]*$")
ABBREVIATION = re.compile(r"(?:\b[A-Z]\.|\b(?:Inc|Ltd|Corp|Co|Jr|Sr|No)\.)$")
QUOTED = re.compile(r"“[^”]*”?|\"[^\"]*\"?")
LONGEST_FURNITURE = 600  # characters; a longer paragraph is never judged by a pattern
LONGEST_TITLE = 200
SHORTEST_PROSE = 80
WIDEST_WRAP = 110  # a text with longer lines than this is not wrapped by hand
LONGEST_LINK_RUN = 15


@cache
def cue_rows() -> tuple[tuple[str, str, str], ...]:
    """Return one (kind, pattern, example) per boilerplate cue, in the file's order."""
    text = (files("tradegap") / "cues" / "boilerplate.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return tuple((row["kind"], row["pattern"], row["example"]) for row in rows)


@cache
def compiled(kind: str) -> re.Pattern[str]:
    """Return the patterns of one kind as one: which of them it is that fits is never asked."""
    either = "|".join(f"(?:{cue})" for of, cue, _ in cue_rows() if of == kind)
    return re.compile(either, re.IGNORECASE)


@lru_cache(maxsize=1)  # one kind is asked for after another
def on_one_line(text: str) -> str:
    """Return a text with a blank for each run of white space."""
    return " ".join(text.split())


def matches(kind: str, text: str) -> bool:
    """Return whether the whole of a short text is what a pattern of the kind describes.

    >>> matches("line", "Story continues below advertisement"), matches("line", "Talks go on.")
    (True, False)
    """
    flat = on_one_line(text)
    return len(flat) <= LONGEST_FURNITURE and bool(compiled(kind).fullmatch(flat))


def searches(kind: str, text: str) -> bool:
    """Return whether a pattern of the kind is found anywhere in the text."""
    return bool(compiled(kind).search(text))


def paragraphs(text: str, *, soft_wrapped: bool = False) -> list[tuple[int, int]]:
    """Return one (start, end) per paragraph, without the white space around it.

    A line is a paragraph, unless the text is wrapped at a fixed width: then a line goes on in the
    next one where the next one's first word would not have fitted. With soft_wrapped (Markdown)
    only a blank line or a bullet ends a paragraph.

    >>> paragraphs("One.\\n\\n  Two.\\n")
    [(0, 4), (8, 12)]
    """
    lines: list[tuple[int, int]] = []
    spans: list[tuple[int, int]] = []
    start = 0
    for line in text.split("\n"):
        lines.append((start, start + len(line)))
        start += len(line) + 1
    width = max((end - start for start, end in lines), default=0)
    may_wrap = soft_wrapped or width <= WIDEST_WRAP
    last_line = ""
    for start, end in lines:
        line = text[start:end]
        body = line.strip(BLANK)
        if not body:
            last_line = ""
            continue
        goes_on = bool(last_line) and may_wrap and not BULLET.match(line)
        if goes_on and not soft_wrapped:
            first_word = body.split(maxsplit=1)[0]
            goes_on = len(last_line) + 1 + len(first_word) >= width and width > 40
        left = start + len(line) - len(line.lstrip(BLANK))
        right = left + len(body)
        if goes_on:
            spans[-1] = (spans[-1][0], right)
        else:
            spans.append((left, right))
        last_line = line
    return spans


def is_prose(text: str) -> bool:
    """Return whether a paragraph reads like a sentence of an article, not like a label or a link.

    >>> is_prose("Comments"), is_prose("The ministers " + "talked and talked " * 6 + "on Monday.")
    (False, True)
    """
    return len(text) >= SHORTEST_PROSE and bool(ENDS_SENTENCE.search(text))


def is_sentence(text: str) -> bool:
    """Return whether a line ends as a sentence does; headlines of other stories do not.

    >>> is_sentence("“No deal,” he said."), is_sentence("Talks resume in the capital")
    (True, False)
    """
    return is_prose(text) or text.rstrip("\"'”’)").endswith((".", "!"))


def is_title(text: str) -> bool:
    """Return whether a first line looks like a title: one short line that is no sentence.

    >>> is_title("Ministers narrow the list"), is_title("Ministers narrowed the list.")
    (True, False)
    """
    if "\n" in text or len(text) > LONGEST_TITLE:
        return False
    return not text.endswith((".", ":", ";", ",")) or (
        bool(ABBREVIATION.search(text)) and len(text) < SHORTEST_PROSE
    )


def resumes(parts: Sequence[str], at: int) -> bool:
    """Return whether the article goes on here, after a comment section seemed to have begun.

    Readers write prose too; but not two paragraphs running that speak to nobody and report what
    someone said.
    """
    pair = parts[at : at + 2]
    return (
        len(pair) == 2
        and all(is_prose(part) and not searches("address", QUOTED.sub("", part)) for part in pair)
        and any(searches("attribution", QUOTED.sub("", part)) for part in pair)
    )


def mark(
    text: str,
    spans: Sequence[tuple[int, int]],
    *,
    hints: Sequence[str] = (),
    may_have_title: bool = True,
) -> tuple[Block, ...]:
    """Return one block per paragraph, in order, of the kind that patterns and position tell.

    `hints` are kinds already known (from the tags of a page), "" where nothing is known.

    >>> page = "Skip to main content\\nTalks resume in the capital\\nThe envoys met again today."
    >>> [block.kind for block in mark(page, paragraphs(page))]
    ['boilerplate', 'title', 'text']
    """
    parts = [text[start:end] for start, end in spans]
    kinds = list(hints) if hints else [""] * len(parts)
    section, run, prose = "", 0, 0
    for at, part in enumerate(parts):
        if kinds[at] in ("boilerplate", "caption", "title"):
            continue
        if section == "comments" and resumes(parts, at):
            section = ""
        if section == "related" and (is_sentence(part) or run >= LONGEST_LINK_RUN):
            section = ""
        run += 1
        if matches("comments", part) and prose >= 2:
            section, kinds[at] = "comments", "boilerplate"
        elif section != "comments" and matches("related", part):
            section, run, kinds[at] = "related", 0, "boilerplate"
        elif section or matches("line", part) or matches("comments", part):
            kinds[at] = "boilerplate"
        elif is_caption(part) if matches("captioned", part) else names_picture(part):
            kinds[at] = "caption"
        elif matches("credit", part):
            kinds[at] = "caption"
            if at and kinds[at - 1] in ("", "text") and is_caption(parts[at - 1]):
                kinds[at - 1] = "caption"
        else:
            kinds[at] = kinds[at] or ("list" if BULLET.match(part) else "text")
            prose += is_prose(part)
    if may_have_title and "title" not in kinds:
        kinds = with_title(parts, kinds)
    return tuple(Block(a, b, kind) for (a, b), kind in zip(spans, kinds, strict=True))


def names_picture(text: str) -> bool:
    """Return whether a line says of itself that it is a caption, and reports nothing.

    >>> names_picture("FILE PHOTO: Containers on a quay"), names_picture("Containers on a quay")
    (True, False)
    """
    return matches("caption", text) and not searches("attribution", text)


def is_caption(text: str) -> bool:
    """Return whether a paragraph with a credit in or after it describes a picture.

    >>> is_caption("The envoy speaks in the capital."), is_caption("The envoy said no.")
    (True, False)
    """
    short = len(text) <= 400 and not QUOTED.search(text)
    return short and not searches("attribution", text) and searches("caption cue", text)


def with_title(parts: Sequence[str], kinds: list[str]) -> list[str]:
    """Return the kinds with the first line of the article's own as title, if it looks like one."""
    own = [at for at, kind in enumerate(kinds) if kind != "boilerplate"]
    if len(own) < 2 or kinds[own[0]] != "text" or not is_title(parts[own[0]]):
        return kinds
    # After furniture a short line is more likely another label than a title.
    if own[0] > 0 and len(parts[own[0]].split()) < 4:
        return kinds
    return [*kinds[: own[0]], "title", *kinds[own[0] + 1 :]]
