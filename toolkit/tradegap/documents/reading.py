"""First stage: files in, dated documents out; what cannot be read is refused, one line each."""

from __future__ import annotations

import hashlib
import io
import json
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from tradegap.documents.blocks import mark, paragraphs
from tradegap.documents.dating import as_day, day_in_name, parse_day
from tradegap.documents.model import Block, Document
from tradegap.errors import DocumentError
from tradegap.tables import yaml_loader

__all__ = [
    "SUFFIXES",
    "Option",
    "iter_documents",
    "list_files",
    "read_bytes",
    "read_documents",
    "read_option",
]

SUFFIXES = (".txt", ".md", ".html", ".htm", ".jsonl")
EARLIEST = date(1900, 1, 1)
BLOCK = 1 << 20  # bytes of a .jsonl that are looked through at a time
CONFIDENCES = ("", "high", "medium", "low")
MAGIC = {
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a zip or Office file",
    b"\xd0\xcf\x11\xe0": "a Word file",
}
KEYS = {
    "title": ("title", "headline"),
    "body": ("text", "body", "content"),
    "published": ("published", "date", "pub_date"),
    "publisher": ("publisher", "source"),
    "url": ("url", "source_url", "link"),
}


@dataclass(frozen=True)
class Option:
    """The --published option: a day, and whether it corrects a file's own date or fills in."""

    day: date | None
    is_first: bool
    file_name: str = ""  # as the file came, where it was renamed since


def read_documents(
    paths: Iterable[Path | str], *, published: date | str | None = None
) -> tuple[list[Document], list[str]]:
    """Return one document per article, and one line per file or article refused.

    Takes .txt, .md, .html, .htm and .jsonl (one article a line), and folders of them. The day of
    publication comes from the first of these that states one: front matter or the article's own
    record in a .jsonl, HTML metadata, the file name, the option `published`. Where a single
    article is read, the option comes first instead: it corrects; with several it fills in.

    >>> documents, refused = read_documents(["no-such-file.txt"])
    >>> documents, refused
    ([], ['no-such-file.txt: no such file; give a file or a folder of files'])
    """
    return part(iter_documents(paths, published=published))


def part(read: Iterable[Document | str]) -> tuple[list[Document], list[str]]:
    """Return the documents among what was read, and the lines why others are refused."""
    documents: list[Document] = []
    refused: list[str] = []
    for each in read:
        if isinstance(each, str):
            refused.append(each)
        else:
            documents.append(each)
    return documents, refused


def iter_documents(
    paths: Iterable[Path | str], *, published: date | str | None = None
) -> Iterator[Document | str]:
    """Yield what `read_documents` returns, one after another, as it is read.

    A refused file or article is its line. A .jsonl is read line by line, so that memory does not
    grow with the articles in it.

    >>> list(iter_documents(["no-such-file.txt"]))
    ['no-such-file.txt: no such file; give a file or a folder of files']
    """
    day, fault = read_option(published)
    if fault:
        yield fault
        return
    found, refused = list_files(paths)
    yield from refused
    single = len(found) == 1 and found[0].suffix.lower() != ".jsonl"
    option = Option(day, single)
    latest = date.today() + timedelta(days=1)
    for path in found:
        try:
            if path.suffix.lower() == ".jsonl":
                yield from iter_articles(path, option, latest)
            else:
                taken, faults = read_bytes(path.read_bytes(), str(path), option=option)
                yield from taken
                yield from faults
        except OSError as error:
            yield f"{path}: cannot be read ({error.strerror}); check its permissions"


def iter_articles(path: Path, option: Option, latest: date) -> Iterator[Document | str]:
    """Yield the articles of a .jsonl, or their lines why they are refused, one after another."""
    with path.open("rb") as file:
        # Only the head tells of a format; a byte that no text has may stand anywhere.
        head = file.read(BLOCK)
        blocks = iter(partial(file.read, BLOCK), b"")
        if any(b"\0" in each for each in blocks):
            head += b"\0"
        if head.strip() and (fault := not_text(head)):
            yield f"{path}: {fault}"
            return
        is_empty = True
        file.seek(0)
        for name, line in json_lines(file, str(path)):
            is_empty = False
            yield from take(line, name, ".jsonl", option, latest)
    if is_empty:
        yield f"{path}: {not_text(b'')}"


def read_option(published: date | str | None) -> tuple[date | None, str]:
    """Return the day of the --published option, and what is wrong with it, if anything.

    >>> read_option("2019-08-32")
    (None, "--published: found '2019-08-32'; it takes a day as YYYY-MM-DD")
    """
    day = as_day(published)
    if published is not None and day is None:
        return None, f"--published: found '{published}'; it takes a day as YYYY-MM-DD"
    return day, ""


def list_files(paths: Iterable[Path | str]) -> tuple[list[Path], list[str]]:
    """Return one path per file named or found in a folder named, and the lines for the others."""
    found: list[Path] = []
    refused: list[str] = []
    for path in map(Path, paths):
        if path.is_dir():
            inside = sorted(
                p for p in path.rglob("*") if p.is_file() and not p.name.startswith(".")
            )
            if not inside:
                refused.append(f"{path}: an empty folder; give a folder with files")
            found += inside
        elif path.is_file():
            found.append(path)
        else:
            refused.append(f"{path}: no such file; give a file or a folder of files")
    return found, refused


def read_bytes(
    raw: bytes, name: str, *, option: Option, latest: date | None = None
) -> tuple[list[Document], list[str]]:
    """Return one document per article in a file's bytes, and one line per fault."""
    suffix = Path(name).suffix.lower()
    if suffix not in SUFFIXES:
        return [], [f"{name}: found '{suffix or 'no suffix'}'; it takes {', '.join(SUFFIXES)}"]
    if fault := not_text(raw):
        return [], [f"{name}: {fault}"]
    # A day ahead, since it may be tomorrow already where the document was published.
    latest = latest or date.today() + timedelta(days=1)
    pieces: Iterable[tuple[str, bytes]] = [(name, raw)]
    if suffix == ".jsonl":
        pieces = json_lines(io.BytesIO(raw), name)
    return part(each for at, raw in pieces for each in take(raw, at, suffix, option, latest))


def take(
    raw: bytes, name: str, suffix: str, option: Option, latest: date
) -> Iterator[Document | str]:
    """Yield the one document in some bytes, or the lines why it is refused."""
    try:
        yield read_one(raw, name, suffix, option, latest)
    except DocumentError as error:
        yield from (f"{name}: {fault}" for fault in error.faults)


def json_lines(lines: Iterable[bytes], name: str) -> Iterator[tuple[str, bytes]]:
    """Yield one (name#line, bytes) per line that is not blank."""
    for number, line in enumerate(lines, start=1):
        bare = line.removeprefix(BOM_UTF8) if number == 1 else line
        if bare.strip():
            yield f"{name}#{number}", bare.removesuffix(b"\n").rstrip(b"\r")


def not_text(raw: bytes) -> str:
    """Return what is wrong with bytes that hold no text; an empty string if they may."""
    if not raw.removeprefix(BOM_UTF8).strip():
        return "found an empty file; it takes text"
    for magic, kind in MAGIC.items():
        if raw.startswith(magic):
            return f"found {kind}; save it as text or HTML"
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "found UTF-16; save it as UTF-8"
    if b"\x00" in raw:
        return "found binary data; it takes text"
    return ""


def decode(raw: bytes) -> str:
    """Return a file's text exactly as Path.read_text(encoding="utf-8") gives it."""
    try:
        return io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8").read()
    except UnicodeDecodeError as error:
        fault = f"byte {error.start} is not UTF-8; save the file as UTF-8"
        raise DocumentError(fault) from None


def read_one(raw: bytes, name: str, suffix: str, option: Option, latest: date) -> Document:
    """Return the one document in some bytes, dated."""
    facts: dict[str, str] = {}
    blocks: tuple[Block, ...]
    if suffix in (".html", ".htm"):
        # Imported where needed: lxml costs every other command a tenth of its start.
        from tradegap.documents.html import read_html

        text, blocks, facts = read_html(raw)
        source = "HTML metadata"
    elif suffix == ".jsonl":
        text, blocks, facts = read_record(decode(raw))
        source = "record"
    elif suffix == ".md":
        text = decode(raw)
        blocks, facts = read_markdown(text)
        source = "front matter"
    else:
        text = decode(raw)
        blocks, source = mark(text, paragraphs(text)), ""
    if not any(block.kind in ("title", "text", "list") for block in blocks):
        raise DocumentError("found no text of an article; it takes at least a sentence")
    own = dated(facts.get("published", ""), source)
    by_name = day_in_name(option.file_name or Path(name.rpartition("#")[0] or name).name)
    order = [own, (by_name, "file name")]
    order.insert(0 if option.is_first else len(order), (option.day, "option"))
    published, dated_by = next(((d, by) for d, by in order if d), (None, ""))
    if published is None:
        raise DocumentError("no date found; add --published YYYY-MM-DD")
    if not EARLIEST <= published <= latest:
        raise DocumentError(
            f"dated {published} by {dated_by}; it takes a day from {EARLIEST} to today"
        )
    if facts.get("confidence", "") not in CONFIDENCES:
        raise DocumentError(f"confidence '{facts['confidence']}'; it takes high, medium or low")
    url = facts.get("url", "")
    title = next((text[b.start : b.end] for b in blocks if b.kind == "title"), "")
    return Document(
        name=name,
        sha256=hashlib.sha256(raw).hexdigest(),
        text=text,
        published=published,
        dated_by=dated_by,
        title=" ".join((facts.get("title") or title).split()),
        publisher=" ".join(facts.get("publisher", "").split()),
        source_url=url if url.startswith(("http://", "https://")) else "",
        confidence=facts.get("confidence", ""),
        blocks=blocks,
    )


def dated(stated: str, source: str) -> tuple[date | None, str]:
    """Return the day that a document states of itself; refuse one that is no day."""
    day = parse_day(stated)
    if stated and day is None:
        raise DocumentError(f"{source} dates it '{stated[:40]}'; it takes a day as YYYY-MM-DD")
    return day, source


def read_record(line: str) -> tuple[str, tuple[Block, ...], dict[str, str]]:
    """Return the text, blocks and stated facts of one article of a .jsonl."""
    try:
        article = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"not JSON ({str(error)[:60]}); it takes one object a line") from None
    if not isinstance(article, dict):
        raise DocumentError('found no object; it takes {"title": …, "text": …, "published": …}')
    facts = {
        fact: next((stated(article[key]) for key in keys if article.get(key)), "")
        for fact, keys in KEYS.items()
    }
    title, body = " ".join(facts["title"].split()), newlines(facts["body"])
    if not body.strip():
        raise DocumentError("found no text; it takes the article under 'text', 'body' or 'content'")
    text = f"{title}\n\n{body}" if title else body
    spans = paragraphs(text)
    hints = ["title" if title and at == 0 else "" for at in range(len(spans))]
    return text, mark(text, spans, hints=hints), facts


def stated(value: Any) -> str:
    """Return a fact as text; what is not plain text or a number states nothing.

    >>> stated("NHK"), stated({"name": "NHK"}), stated(["NHK"])
    ('NHK', 'NHK', '')
    """
    if isinstance(value, dict):
        value = value.get("name", "")
    if isinstance(value, bool) or not isinstance(value, str | int | date):
        return ""
    text = str(value).strip()
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise DocumentError("found half a character (a lone surrogate); save it again") from None
    return text


def newlines(text: str) -> str:
    """Return text with one kind of line end."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_markdown(text: str) -> tuple[tuple[Block, ...], dict[str, str]]:
    """Return the blocks of a Markdown file and the facts that its front matter states."""
    facts: dict[str, str] = {}
    head = front_matter_end(text)
    blocks: list[Block] = []
    if head:
        start = len(text[:head]) - len(text[:head].lstrip("\ufeff"))
        blocks.append(Block(start, len(text[:head].rstrip()), "boilerplate"))
        facts = read_front_matter(text[start:head])
    body = " " * head + text[head:]
    spans: list[tuple[int, int]] = []
    hints: list[str] = []
    for start, end in paragraphs(body, soft_wrapped=True):
        heading = text[start:end].startswith("#")
        left = start + len(text[start:end]) - len(text[start:end].lstrip("#> "))
        if left >= end:
            continue
        spans.append((left, end))
        hints.append("title" if heading and len(spans) == 1 and not facts.get("title") else "")
    marked = mark(text, spans, hints=hints, may_have_title=not facts.get("title"))
    return (*blocks, *marked), facts


def front_matter_end(text: str) -> int:
    """Return where the front matter ends, 0 where there is none.

    >>> front_matter_end("---\\na: 1\\n---\\nBody"), front_matter_end("Body")
    (13, 0)
    """
    lines = text.removeprefix("\ufeff").split("\n")
    if lines[0].rstrip() != "---":
        return 0
    at = len(text) - len(text.removeprefix("\ufeff")) + len(lines[0]) + 1
    for line in lines[1:]:
        at += len(line) + 1
        if line.rstrip() in ("---", "..."):
            return min(at, len(text))
    raise DocumentError("front matter opens with '---' and never closes; close it with '---'")


def read_front_matter(head: str) -> dict[str, str]:
    """Return the facts that front matter states, each as text."""
    inner = head.strip().strip("-").strip(".")
    try:
        said = yaml.load(inner, yaml_loader(inner))
    except (yaml.YAMLError, ValueError, RecursionError, TypeError, AttributeError) as error:
        reason = " ".join(str(error).split())[:80]
        raise DocumentError(f"front matter is not YAML ({reason}); check its quotes") from None
    if not isinstance(said, dict):
        raise DocumentError(
            "front matter holds no 'key: value' lines; it takes published: YYYY-MM-DD"
        )
    facts = {
        fact: next((stated(said[key]) for key in keys if said.get(key)), "")
        for fact, keys in KEYS.items()
        if fact != "body"
    }
    return facts | {"confidence": stated(said.get("confidence", ""))}
