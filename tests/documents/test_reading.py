"""Promises of the first stage about files: what is taken in, how it is dated, what is refused."""

from __future__ import annotations

import hashlib
import json
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradegap.documents import Document, iter_documents, read_documents
from tradegap.documents.reading import SUFFIXES, Option, read_bytes

STORY = "The envoys met again on Monday.\n\nThey parted without a deal on rice.\n"
NOTE = """---
title: Rice stays open
published: 2018-05-04
publisher: Harbour Gazette
source_url: https://gazette.example/rice
confidence: high
---

The envoys met again, and parted without
a deal on rice.

# What comes next

- They meet on Monday.
"""


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


def test_a_text_file_keeps_its_characters_and_its_hash(tmp_path: Path) -> None:
    raw = "\ufeffCafé talks\r\n\r\nThey met on Monday, and no more.\r\n".encode()
    path = write(tmp_path, "story.txt", raw)

    (document,), refused = read_documents([path], published="2018-05-04")

    assert refused == []
    assert document.text == path.read_text(encoding="utf-8")
    assert document.sha256 == hashlib.sha256(raw).hexdigest()
    assert document.title == "Café talks"
    assert document.name == str(path)


def test_a_note_says_its_facts_in_front_matter(tmp_path: Path) -> None:
    path = write(tmp_path, "note.md", NOTE)

    (document,), refused = read_documents([path])

    assert refused == []
    assert document.title == "Rice stays open"
    assert document.publisher == "Harbour Gazette"
    assert document.source_url == "https://gazette.example/rice"
    assert document.confidence == "high"
    assert (document.published, document.dated_by) == (date(2018, 5, 4), "front matter")
    assert [block.kind for block in document.blocks] == ["boilerplate", "text", "text", "list"]
    body = document.blocks[1]
    assert document.text == path.read_text(encoding="utf-8")
    assert document.text[body.start : body.end].endswith("a deal on rice.")


def test_markdown_without_front_matter_takes_its_heading_as_title(tmp_path: Path) -> None:
    path = write(tmp_path, "2018-05-04.md", "# Rice stays open\n\nThe envoys parted on Monday.\n")

    (document,), _ = read_documents([path])

    assert document.title == "Rice stays open"
    assert [block.kind for block in document.blocks] == ["title", "text"]


def test_a_jsonl_is_one_document_a_line_and_a_bad_line_is_refused_alone(tmp_path: Path) -> None:
    good = {"title": "Rice", "text": "They met.", "published": "2018-05-04", "publisher": "HG"}
    other = {"headline": "Cars", "body": "They parted.", "date": "May 5, 2018", "source": "HG"}
    lines = [json.dumps(good), "{broken", "", json.dumps(other), "[1]", '{"title": "No text"}']
    path = write(tmp_path, "articles.jsonl", "\n".join(lines))

    documents, refused = read_documents([path])

    assert [document.name for document in documents] == [f"{path}#1", f"{path}#4"]
    assert documents[0].text == "Rice\n\nThey met."
    assert documents[0].sha256 == hashlib.sha256(lines[0].encode()).hexdigest()
    assert [block.kind for block in documents[0].blocks] == ["title", "text"]
    assert (documents[1].published, documents[1].dated_by) == (date(2018, 5, 5), "record")
    assert [line.split(": ")[0] for line in refused] == [f"{path}#{n}" for n in (2, 5, 6)]


def test_the_articles_of_a_jsonl_come_one_after_another_as_they_are_read(tmp_path: Path) -> None:
    line = json.dumps({"text": "They met.", "published": "2018-05-04"})
    path = write(tmp_path, "articles.jsonl", f"{line}\n" * 3)

    source = iter_documents([path])
    first = next(source)
    path.write_text("")

    assert isinstance(first, Document)
    assert first.name == f"{path}#1"
    assert list(source)[2:] == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "found an empty file"),
        (b"\xef\xbb\xbf \n\r\n", "found an empty file"),
        (b"%PDF-1.7\n", "found a PDF"),
        (b'{"text": "Talks."}\n' * 70_000 + b"\0", "found binary data"),
    ],
)
def test_a_jsonl_that_is_no_text_is_refused_in_one_line(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    path = write(tmp_path, "articles.jsonl", content)

    (line,) = iter_documents([path])

    assert isinstance(line, str)
    assert line.startswith(f"{path}: {reason}")


def test_a_folder_stands_for_its_files(tmp_path: Path) -> None:
    write(tmp_path, "2018-05-04-a.txt", STORY)
    (tmp_path / "deeper").mkdir()
    write(tmp_path / "deeper", "2018-05-05-b.txt", STORY)
    write(tmp_path, ".hidden", STORY)

    documents, refused = read_documents([tmp_path])

    assert [document.published.day for document in documents] == [4, 5]
    assert refused == []


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.txt", "", "empty"),
        ("a.txt", " \n\t\n", "empty"),
        ("a.txt", b"caf\xe9 talks", "byte 3 is not UTF-8"),
        ("a.txt", "talks".encode("utf-16"), "UTF-16"),
        ("a.txt", b"talks\x00\x01", "binary"),
        ("a.txt", b"%PDF-1.7 talks", "PDF"),
        ("a.txt", "Advertisement\n\nSubscribe now", "no text of an article"),
        ("a.docx", "talks", "'.docx'"),
        ("a", "talks", "no suffix"),
        ("a.txt", STORY, "no date found; add --published YYYY-MM-DD"),
        ("2018-13-41.txt", STORY, "no date found"),
        ("a.md", "---\npublished: 2018-02-30\n---\nThey met.\n", "front matter"),
        ("a.md", "---\npublished: soon\n---\nThey met.\n", "front matter dates it 'soon'"),
        ("a.md", "---\npublished: 2018-05-04\nThey met.\n", "never closes"),
        ("a.md", "---\n{[\n---\nThey met.\n", "not YAML"),
        ("2018-05-04.md", "---\nconfidence: sure\n---\nThey met.\n", "high, medium or low"),
        ("1850-01-01.txt", STORY, "no date found"),
        ("a.html", "<p>caf\udce9".encode("utf-8", "surrogateescape"), "not utf-8"),
        ("a.html", '<meta charset="x-none"><p>Talks.', "unknown charset"),
        ("a.jsonl", '{"text": "\\ud800 talks", "date": "2018-05-04"}', "half a character"),
        ("a.jsonl", '{"text": "Talks.", "source": "\\ud800"}', "half a character"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_reason_and_the_rest_goes_on(
    tmp_path: Path, name: str, content: str | bytes, reason: str
) -> None:
    bad = write(tmp_path, name, content)
    good = write(tmp_path, "2018-05-04-good.txt", STORY)

    documents, refused = read_documents([bad, tmp_path / "missing.txt", good])

    assert [document.name for document in documents] == [str(good)]
    assert len(refused) == 2
    assert any(line.startswith(str(bad)) and reason in line for line in refused)
    assert all("\n" not in line for line in refused)


def test_a_date_in_the_future_is_refused(tmp_path: Path) -> None:
    later = date.today() + timedelta(days=30)
    path = write(tmp_path, "a.txt", STORY)

    documents, refused = read_documents([path], published=later)

    assert documents == []
    assert f"dated {later} by option" in refused[0]


def test_an_option_that_is_no_day_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "2018-05-04.txt", STORY)

    assert read_documents([path], published="21/08/2019") == (
        [],
        ["--published: found '21/08/2019'; it takes a day as YYYY-MM-DD"],
    )


@pytest.mark.parametrize(
    ("name", "content", "day", "dated_by"),
    [
        ("2018-05-01.md", NOTE, 4, "front matter"),
        ("2018-05-01.md", "They met on Monday.", 1, "file name"),
        ("talks_20180502_v2.txt", STORY, 2, "file name"),
        ("a.txt", STORY, 9, "option"),
        (
            "2018-05-01.html",
            '<meta property="article:published_time" content="2018-05-03T23:59:00-05:00"><p>Yes.',
            3,
            "HTML metadata",
        ),
        ("2018-05-01.html", "<p>They met.", 1, "file name"),
    ],
)
def test_of_several_dates_the_first_in_the_stated_order_wins(
    tmp_path: Path, name: str, content: str, day: int, dated_by: str
) -> None:
    path = write(tmp_path, name, content)
    other = write(tmp_path, "2018-05-08-other.txt", STORY)

    documents, _ = read_documents([path, other], published=date(2018, 5, 9))

    assert documents[0].published == date(2018, 5, day)
    assert documents[0].dated_by == dated_by


def test_for_a_single_article_the_option_corrects_its_own_date(tmp_path: Path) -> None:
    path = write(tmp_path, "2018-05-01.md", NOTE)

    (document,), _ = read_documents([path], published=date(2018, 5, 9))

    assert (document.published, document.dated_by) == (date(2018, 5, 9), "option")


def test_only_a_web_address_is_taken_as_the_source(tmp_path: Path) -> None:
    article = {"text": "They met.", "date": "2018-05-04", "url": "javascript:alert(1)"}
    path = write(tmp_path, "a.jsonl", json.dumps(article))

    (document,), _ = read_documents([path])

    assert document.source_url == ""


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    raw=st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.text(alphabet='<>/!-="pdivtableh1 \n&;#x0123', max_size=200).map(str.encode),
        st.text(alphabet="-: \n[]{}&*!'\"ab1", max_size=80).map(
            lambda s: f"---\n{s}\n---\nHi".encode()
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=20),
            lambda inner: st.dictionaries(st.sampled_from(["text", "title", "date"]), inner),
            max_leaves=4,
        ).map(lambda value: json.dumps(value).encode()),
    ),
    suffix=st.sampled_from(SUFFIXES),
)
def test_no_bytes_do_worse_than_a_refusal(raw: bytes, suffix: str) -> None:
    documents, refused = read_bytes(raw, f"a{suffix}", option=Option(date(2018, 5, 4), True))

    assert documents or refused or suffix == ".jsonl"
    for document in documents:
        edges = [edge for block in document.blocks for edge in (block.start, block.end)]
        assert edges == sorted(edges)
        assert not edges or edges[-1] <= len(document.text)
        document.text.encode("utf-8")
        document.title.encode("utf-8")


@pytest.mark.parametrize("length", [1000, 200_000])
def test_front_matter_that_nests_without_end_is_refused_and_ends_no_process(tmp_path, length):
    path = tmp_path / "deep.md"
    path.write_text("---\ntitle: " + "[" * length + "\n---\nThe two sides met.\n", "utf-8")

    documents, refusals = read_documents([path], published="2019-08-21")

    assert documents == []
    assert "front matter is not YAML" in refusals[0]
