"""First stage: a saved web page in, its paragraphs and stated facts out. Nothing in it is run.

Tags and class names tell most of the furniture (the `html` cues of `cues/boilerplate.csv`); the
same line rules as for plain text tell the rest.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml import etree
from lxml import html as lxml_html

from tradegap.documents.blocks import ENDS_SENTENCE, mark, matches
from tradegap.documents.dating import parse_day
from tradegap.documents.model import Block
from tradegap.errors import DocumentError

__all__ = ["read_html"]

UNREAD = {"script", "style", "noscript", "template", "svg", "math", "iframe", "object", "embed"}
UNREAD |= {"title", "textarea", "canvas", "audio", "video", "map", "datalist"}
FURNITURE = {"nav", "aside", "footer", "button", "select", "dialog", "menu"}
FURNITURE_ROLES = {"navigation", "complementary", "contentinfo", "search", "dialog", "alertdialog"}
CAPTIONS = {"figure", "figcaption", "caption"}
INLINE = {"a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn"}
INLINE |= {"em", "font", "i", "ins", "kbd", "label", "mark", "q", "s", "samp", "small", "span"}
INLINE |= {"strike", "strong", "sub", "sup", "time", "tt", "u", "var", "wbr", "img", "amp-img"}
META_DATES = (
    *("datepublished", "date", "pubdate", "publishdate", "publish-date", "publish_date"),
    *("publication_date", "dc.date.issued", "dcterms.issued", "dc.date", "dcterms.date"),
    *("parsely-pub-date", "sailthru.date", "article.published", "og:published_time"),
)
CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
XML_ENCODING = re.compile(rb"""^\s*<\?xml[^>]{0,100}encoding\s*=\s*["']([\w.:-]{1,40})""")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff]")
SITE_NAME = re.compile(r"\s+[|–—-]\s+[^|–—-]{1,40}$")
SHORTEST_PROSE = 25  # characters
DEEPEST = 400  # tags inside one another; no page that people read nests deeper


@dataclass
class Piece:
    """One paragraph of a page while it is being gathered."""

    kind: str
    words: list[str] = field(default_factory=list)
    linked: int = 0  # characters inside links
    level: str = ""  # h1, li, …
    is_inside: bool = True  # inside the element that holds the article

    @property
    def text(self) -> str:
        """The paragraph with its white space evened out."""
        return " ".join(CONTROL.sub("", "".join(self.words)).split())


def read_html(raw: bytes) -> tuple[str, tuple[Block, ...], dict[str, str]]:
    """Return the text, blocks and stated facts of a page.

    >>> page = b"<title>Talks resume</title><nav>Home</nav><p>The envoys met on Monday.</p>"
    >>> text, blocks, facts = read_html(page)
    >>> [(block.kind, text[block.start : block.end]) for block in blocks]
    [('title', 'Talks resume'), ('boilerplate', 'Home'), ('text', 'The envoys met on Monday.')]
    """
    tree = parse(raw)
    facts = read_facts(tree)
    pieces = [piece for piece in gather(tree) if piece.text]
    title_at = find_title(pieces, facts["title"])
    if title_at is not None:
        pieces[title_at].kind = "title"
        facts["title"] = pieces[title_at].text
    elif facts["title"]:
        pieces.insert(0, Piece("title", [facts["title"]]))
    spans: list[tuple[int, int]] = []
    start = 0
    for piece in pieces:
        spans.append((start, start + len(piece.text)))
        start += len(piece.text) + 2
    text = "\n\n".join(piece.text for piece in pieces)
    hints = [hint(piece) for piece in pieces]
    return text, mark(text, spans, hints=hints, may_have_title=False), facts


def parse(raw: bytes) -> Any:
    """Return the tree of a page, decoded as it declares or else as UTF-8."""
    text = CONTROL.sub(" ", decode_page(raw))
    # Re-encoded, since lxml refuses a str that declares an encoding of its own.
    parser = lxml_html.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True)
    try:
        return lxml_html.document_fromstring(text.encode("utf-8"), parser=parser)
    except (etree.LxmlError, ValueError, AssertionError) as error:
        raise DocumentError(f"not HTML ({str(error)[:60]}); save the page again") from None


def decode_page(raw: bytes) -> str:
    """Return a page's source: a byte order mark decides, then what it declares, then UTF-8.

    >>> decode_page('<meta charset="windows-1252">caf\\u00e9'.encode("cp1252"))[-4:]
    'café'
    """
    found = CHARSET.search(raw[:4096]) or XML_ENCODING.search(raw[:4096])
    declared = found[1].decode("ascii") if found else "utf-8"
    if raw.startswith(codecs.BOM_UTF8):
        declared = "utf-8-sig"
    # What pages call Latin-1 is Windows-1252: so the HTML standard says.
    if declared.lower() in ("iso-8859-1", "latin-1", "latin1", "ascii", "us-ascii"):
        declared = "cp1252"
    try:
        return raw.decode(declared)
    except LookupError:
        fault = f"declares the unknown charset '{declared}'; save the page as UTF-8"
        raise DocumentError(fault) from None
    except (UnicodeError, ValueError) as error:
        at = f"byte {error.start}" if isinstance(error, UnicodeDecodeError) else "something"
        raise DocumentError(f"{at} is not {declared}; save the page as UTF-8") from None


def read_facts(tree: Any) -> dict[str, str]:
    """Return what the page states of itself: title, publisher, url, day of publication."""
    metas: dict[str, str] = {}
    for tag in tree.iter("meta"):
        name = tag.get("property") or tag.get("name") or tag.get("itemprop") or ""
        metas.setdefault(name.strip().lower(), clean(tag.get("content") or ""))
    articles = list(json_ld(tree))
    linked = [tag.get("href", "") for tag in tree.iter("link") if tag.get("rel") == "canonical"]
    page_title = SITE_NAME.sub("", clean(tree.findtext(".//title") or ""))
    publisher = next((a["publisher"] for a in articles if a.get("publisher")), "")
    return {
        "title": metas.get("og:title") or first(articles, "headline") or page_title,
        "publisher": clean(metas.get("og:site_name") or name_of(publisher)),
        "url": next((u for u in (*linked, metas.get("og:url", "")) if u.startswith("http")), ""),
        "published": page_date(tree, metas, articles),
    }


def page_date(tree: Any, metas: dict[str, str], articles: list[dict[str, Any]]) -> str:
    """Return the first day that the page states, most trusted first; "" where there is none."""
    times = [tag for tag in tree.iter("time") if tag.get("datetime")]
    times = [tag for tag in times if not any(is_furniture(up) for up in tag.iterancestors())]
    stated = [
        metas.get("article:published_time", ""),
        first(articles, "datePublished"),
        *(metas.get(name, "") for name in META_DATES),
        *(tag.get("datetime") for tag in tree.iterfind(".//*[@itemprop='datePublished']")),
        *(tag.get("datetime") for tag in times),
    ]
    return next((day.isoformat() for day in map(parse_day, filter(None, stated)) if day), "")


def json_ld(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield each object of the page's JSON-LD that describes it, articles before others."""
    found: list[dict[str, Any]] = []
    for script in tree.iter("script"):
        if (script.get("type") or "").lower() != "application/ld+json":
            continue
        try:
            queue = [json.loads(script.text or "null")]
        except (ValueError, RecursionError):
            continue  # a page with broken metadata may still be dated otherwise
        while queue:
            item = queue.pop(0)
            if isinstance(item, list):
                queue += item
            elif isinstance(item, dict):
                found.append(item)
                queue += [item.get("@graph"), item.get("mainEntity")]
    yield from sorted(found, key=lambda item: "Article" not in str(item.get("@type")))


def first(items: list[dict[str, Any]], key: str) -> str:
    """Return the first text that any of the objects has under the key."""
    return next((clean(i[key]) for i in items if isinstance(i.get(key), str) and i[key]), "")


def name_of(value: Any) -> str:
    """Return the name of a JSON-LD publisher, which may be an object or a plain name."""
    name = value.get("name") if isinstance(value, dict) else value
    return name if isinstance(name, str) else ""


def clean(text: str) -> str:
    """Return text on one line, without control characters or halves of characters."""
    text = CONTROL.sub("", text).encode("utf-8", "ignore").decode("utf-8")
    return " ".join(text.split())


def is_furniture(tag: Any) -> bool:
    """Return whether a tag's name, role or class says that it holds furniture."""
    if tag.tag in FURNITURE or tag.get("role") in FURNITURE_ROLES or tag.get("hidden") is not None:
        return True
    if "display:none" in (tag.get("style") or "").replace(" ", ""):
        return True
    if tag.tag in ("html", "body", "main", "article"):
        return False
    # Some sites wrap the whole page in one form, so a form is judged as a class name is.
    return tag.tag == "form" or any(matches("html", name) for name in names(tag))


def names(tag: Any) -> list[str]:
    """Return the class names and the id of a tag."""
    return f"{tag.get('class') or ''} {tag.get('id') or ''}".split()


def is_caption(tag: Any) -> bool:
    """Return whether a tag holds a caption or a credit."""
    return tag.tag in CAPTIONS or any(matches("html caption", name) for name in names(tag))


def prose_of(tag: Any) -> int:
    """Return how many characters of running text, rather than of labels and links, a tag holds."""
    texts = []
    for inner in tag.iter():
        texts.append(inner.text if inner.tag not in UNREAD and inner.tag != "a" else "")
        texts.append(inner.tail if inner is not tag else "")
    lengths = (len(text.strip()) for text in texts if text)
    return sum(length for length in lengths if length >= SHORTEST_PROSE)


def gather(tree: Any) -> list[Piece]:
    """Return one piece per paragraph of the page, in the order of reading."""
    article = find_article(tree)
    # A class name on a wrapper around the article ("page has-sidebar") says nothing about it.
    heads = list(article.iter("h1")) or list(tree.iter("h1"))
    wrappers = {up for tag in (article, *heads[:1]) for up in tag.iterancestors()} | {article}
    whole = prose_of(article)
    pieces = [Piece("")]

    def walk(tag: Any, kind: str, level: str, is_inside: bool, is_linked: bool, depth: int) -> None:
        if not isinstance(tag.tag, str) or tag.tag in UNREAD or depth > DEEPEST:
            return
        is_inside = is_inside or tag is article
        if tag.tag in FURNITURE and not kind:
            kind = "boilerplate"
        elif tag not in wrappers and not kind:
            if is_furniture(tag) and 2 * prose_of(tag) <= whole:
                kind = "boilerplate"
            elif is_caption(tag):
                kind = "caption"
        is_block = tag.tag not in INLINE and tag.tag != "br"
        level = tag.tag if tag.tag in ("h1", "li", "p") else level
        is_linked = is_linked or tag.tag == "a"

        def begin() -> None:
            pieces.append(Piece(kind, level=level, is_inside=is_inside))

        def say(words: str | None, linked: bool) -> None:
            if words:
                if pieces[-1].kind != kind and words.strip():
                    begin()
                pieces[-1].words.append(words)
                pieces[-1].linked += len(words.strip()) if linked else 0

        if is_block:
            begin()
        say(tag.text, is_linked)
        for child in tag:
            if child.tag == "br":
                # Two in a row are how old pages part paragraphs; one is a space.
                after = child.getnext()
                if after is not None and after.tag == "br" and not (child.tail or "").strip():
                    begin()
                else:
                    say(" ", False)
            else:
                walk(child, kind, level, is_inside, is_linked, depth + 1)
            if isinstance(child.tag, str) and child.tag not in INLINE and child.tag != "br":
                begin()
            say(child.tail, is_linked)

    walk(tree, "", "", False, False, 0)
    return pieces


def find_article(tree: Any) -> Any:
    """Return the element that holds the article: the one marked so with most of the prose."""
    whole = prose_of(tree)
    marked = [tag for tag in tree.iter("article", "main") if 2 * prose_of(tag) >= whole > 0]
    return min(marked, key=lambda tag: sum(1 for _ in tag.iter()), default=tree)


def find_title(pieces: list[Piece], stated: str) -> int | None:
    """Return which piece is the title: the heading of the article, or the line that states it."""
    heads = [at for at, piece in enumerate(pieces) if piece.level == "h1"]
    same = [at for at in heads if pieces[at].text.casefold() == stated.casefold()]
    inside = [at for at in heads if pieces[at].is_inside and pieces[at].kind == ""]
    chosen = same or inside or [at for at in heads if not stated and pieces[at].kind == ""]
    return chosen[0] if chosen else None


def hint(piece: Piece) -> str:
    """Return the kind that a piece's place in the page tells, "" where it tells nothing."""
    if piece.kind:
        return piece.kind
    is_sentence = bool(ENDS_SENTENCE.search(piece.text))
    if not piece.is_inside or (2 * piece.linked > len(piece.text) and not is_sentence):
        return "boilerplate"
    return "list" if piece.level == "li" else ""
