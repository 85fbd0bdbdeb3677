"""Promises of the first stage about saved web pages."""

from __future__ import annotations

import pytest

from tradegap.documents.html import read_html

PROSE = (
    "The envoys of <b>Freedonia</b> and <a href='/s'>Sylvania</a> said on Friday that they had "
    "not yet agreed on rice &amp; caf\u00e9 quotas."
)
PAGE = f"""<!doctype html><html class="has-sidebar"><head><meta charset="utf-8">
<title>Rice talks resume | Harbour Gazette</title><style>p {{ color: red }}</style>
<meta property="og:site_name" content="Harbour Gazette">
<link rel="canonical" href="https://gazette.example/rice"></head>
<body class="single comments-open newsletter">
<a href="#c">Skip to main content</a>
<header><nav><ul><li><a href="/">Home</a></li><li>The gap widened in the world</li></ul></nav>
</header>
<div class="page with-newsletter"><article>
<header><h1>Rice talks resume</h1><p class="byline">By Ann Example</p></header>
<figure><img src="x.jpg"><figcaption>The gap widened, a caption says.</figcaption></figure>
<p>{PROSE}</p>
<div class="ad-slot">Advertisement</div>
<p>“No deal,” he said.</p>
<h2>What comes next</h2>
<p>They meet again on Monday<br>in the capital.<br><br>Then they go home.</p>
<ul><li>Rice: open.</li><li>Cars: settled.</li></ul>
<script>document.write("the gap widened")</script><!-- the gap closed -->
<noscript>The gap widened without scripts.</noscript>
<aside><p>The gap widened in another story, which is told elsewhere at some length.</p></aside>
<div class="share-tools"><a href="x">Share on Facebook</a></div>
<p>Read more: <a href="x">The gap widened</a></p>
</article></div>
<section id="comments"><h3>Comments</h3>
<p>I said the gap widened. They will never agree on a thing, believe me, readers.</p></section>
<div class="cookie-banner"><p>We use cookies and the gap widened.</p></div>
<div class="newsletter-signup"><p>Sign up: the gap widened.</p></div>
<footer><p>© 2018 Harbour Gazette: the gap widened.</p></footer></body></html>"""


def kinds(page: str | bytes) -> list[tuple[str, str]]:
    """Return one (kind, text) per block of a page."""
    text, blocks, _ = read_html(page.encode() if isinstance(page, str) else page)
    return [(block.kind, text[block.start : block.end]) for block in blocks]


def test_of_a_page_only_the_article_is_left() -> None:
    own = [text for kind, text in kinds(PAGE) if kind in ("title", "text", "list")]

    assert own == [
        "Rice talks resume",
        "The envoys of Freedonia and Sylvania said on Friday that they had not yet agreed on rice "
        "& café quotas.",
        "“No deal,” he said.",
        "What comes next",
        "They meet again on Monday in the capital.",
        "Then they go home.",
        "Rice: open.",
        "Cars: settled.",
    ]


def test_furniture_is_marked_and_not_lost() -> None:
    marked = {text: kind for kind, text in kinds(PAGE)}

    assert marked["The gap widened, a caption says."] == "caption"
    assert marked["We use cookies and the gap widened."] == "boilerplate"
    assert marked["The gap widened in the world"] == "boilerplate"


def test_what_a_page_would_run_or_hide_in_code_is_not_text() -> None:
    text, _, _ = read_html(PAGE.encode())

    assert "document.write" not in text
    assert "color: red" not in text
    assert "closed" not in text
    assert "without scripts" not in text


def test_list_items_are_of_kind_list() -> None:
    assert ("list", "Rice: open.") in kinds(PAGE)


def test_a_page_states_its_facts() -> None:
    _, _, facts = read_html(PAGE.encode())

    assert facts["title"] == "Rice talks resume"
    assert facts["publisher"] == "Harbour Gazette"
    assert facts["url"] == "https://gazette.example/rice"


@pytest.mark.parametrize(
    "head",
    [
        '<meta property="article:published_time" content="2018-05-04T23:30:00-05:00">',
        '<script type="application/ld+json">{"@graph": [{"@type": "WebPage", "datePublished": '
        '"2018-05-01"}, {"@type": ["NewsArticle"], "datePublished": "2018-05-04"}]}</script>',
        '<meta name="DC.date.issued" content="2018-05-04">',
        '<meta itemprop="datePublished" content="May 4, 2018">',
        '<meta name="parsely-pub-date" content="2018-05-04T10:00:00Z">',
        '<body><nav><time datetime="2018-05-09">x</time></nav><time datetime="2018-05-04">x</time>',
        '<script type="application/ld+json">{broken</script><meta name="date" content="20180504">',
        '<meta property="article:published_time" content="soon">'
        '<time datetime="2018-05-04">x</time>',
        '<meta name="date" content="2018-05-01">'
        '<meta property="article:published_time" content="2018-05-04">',
    ],
)
def test_the_day_of_publication_is_found_in_the_metadata(head: str) -> None:
    _, _, facts = read_html(f"{head}<p>They met again.</p>".encode())

    assert facts["published"] == "2018-05-04"


@pytest.mark.parametrize(
    "raw",
    [
        "<p>café talks resume.".encode("utf-8-sig"),
        "<p>café talks resume.".encode(),
        '<meta charset="iso-8859-1"><p>café talks resume.'.encode("latin-1"),
        '<meta http-equiv="Content-Type" content="text/html; charset=windows-1252">'
        "<p>café talks resume.".encode("cp1252"),
        '<?xml version="1.0" encoding="iso-8859-1"?><html><p>café talks resume.'.encode("latin-1"),
        b"<p>caf&eacute; talks&nbsp;resume.",
    ],
)
def test_a_page_is_decoded_as_it_declares(raw: bytes) -> None:
    assert kinds(raw) == [("text", "café talks resume.")]


def test_a_malformed_page_still_gives_its_paragraphs() -> None:
    page = "<title>Talks</title><p>They met <b>again.<p>They <i>parted</b> late.<div>No deal.</td>"

    assert [text for _, text in kinds(page)] == [
        "Talks",
        "They met again.",
        "They parted late.",
        "No deal.",
    ]


def test_a_page_without_tags_for_its_parts_is_read_too() -> None:
    links = "".join(f"<a href='{n}'>Section {n}</a> " for n in range(9))
    page = f"<div>{links}</div><form id='page'><div>{PROSE}</div><div>“No,” he said.</div></form>"

    assert [kind for kind, _ in kinds(page)] == ["boilerplate", "text", "text"]


def test_a_title_that_no_heading_shows_is_put_first() -> None:
    page = f"<meta property='og:title' content='Rice talks resume'><p>{PROSE}</p>"

    assert kinds(page)[0] == ("title", "Rice talks resume")


def test_a_heading_of_the_site_is_not_the_title() -> None:
    page = (
        "<title>Rice talks resume | HG</title><header><h1>Harbour Gazette</h1></header>"
        f"<main><article><h1>Rice talks resume</h1><p>{PROSE}</p></article></main>"
    )

    assert [text for kind, text in kinds(page) if kind == "title"] == ["Rice talks resume"]
