"""Promises of the first stage about a negotiation's own documents."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from tradegap.documents import add_documents, load_documents
from tradegap.errors import DocumentError

STORY = "The envoys met again on Monday.\n\nThey parted without a deal on rice.\n"
NOTE = """---
title: Rice stays open
published: 2018-05-06
publisher: Harbour Gazette
source_url: https://gazette.example/rice
confidence: high
---
The envoys parted on Sunday.
"""


@pytest.fixture
def talks(tmp_path: Path) -> Path:
    folder = tmp_path / "talks"
    (folder / "notes").mkdir(parents=True)
    (folder / "notes" / "2018-05-06-gazette.md").write_text(NOTE, encoding="utf-8")
    return folder


def story(folder: Path, name: str, content: str = STORY) -> Path:
    path = folder / name
    path.write_bytes(content.encode())
    return path


def test_an_added_file_keeps_its_bytes_and_is_loaded_with_the_notes(
    talks: Path, tmp_path: Path
) -> None:
    path = story(tmp_path, "Rice & “cars”.TXT", STORY.replace("\n", "\r\n"))

    added, refused = add_documents(talks, [path], published="2018-05-04")
    loaded = load_documents(talks)

    kept = talks / "private" / "2018-05-04-Rice-cars.txt"
    assert refused == []
    assert kept.read_bytes() == path.read_bytes()
    assert [document.name for document in added] == ["private/2018-05-04-Rice-cars.txt"]
    assert [document.name for document in loaded] == [added[0].name, "notes/2018-05-06-gazette.md"]
    assert [document.is_private for document in loaded] == [True, False]
    assert loaded[0] == added[0]
    assert loaded[0].dated_by == "option"


def test_private_documents_can_be_left_out(talks: Path, tmp_path: Path) -> None:
    add_documents(talks, [story(tmp_path, "2018-05-04.txt")])

    loaded = load_documents(talks, private=False)

    assert [document.is_private for document in loaded] == [False]


def test_git_does_not_see_private_documents(talks: Path, tmp_path: Path) -> None:
    add_documents(talks, [story(tmp_path, "2018-05-04.txt")])

    assert (talks / "private" / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_the_same_bytes_are_not_added_twice(talks: Path, tmp_path: Path) -> None:
    first = story(tmp_path, "2018-05-04-a.txt")
    again = story(tmp_path, "2018-05-05-b.txt")

    added, refused = add_documents(talks, [first, again, first])

    assert len(added) == 1
    assert len(refused) == 2
    assert all("already there as private/2018-05-04-a.txt" in line for line in refused)


def test_other_bytes_of_the_same_name_get_a_number(talks: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    first = story(tmp_path, "2018-05-04-a.txt")
    other = story(tmp_path / "other", "2018-05-04-a.txt", "They met on Friday and parted.")

    add_documents(talks, [first])
    added, _ = add_documents(talks, [other])

    assert added[0].name == "private/2018-05-04-a-2.txt"
    assert len(load_documents(talks)) == 3


def test_a_jsonl_is_kept_whole_and_its_bad_lines_are_refused(talks: Path, tmp_path: Path) -> None:
    lines = [
        json.dumps({"title": "Rice", "text": "They met.", "published": "2018-05-03"}),
        "{broken",
        json.dumps({"title": "Cars", "text": "They parted."}),
    ]
    path = story(tmp_path, "articles.jsonl", "\n".join(lines))

    added, refused = add_documents(talks, [path], published="2018-05-04")
    loaded = load_documents(talks)

    assert len(refused) == 1
    assert [document.name for document in added] == [
        "private/2018-05-03-articles.jsonl#1",
        "private/2018-05-03-articles.jsonl#3",
    ]
    assert loaded[:2] == added
    assert [(document.published.day, document.dated_by) for document in added] == [
        (3, "record"),
        (4, "option"),
    ]


def test_a_refused_file_leaves_nothing_behind(talks: Path, tmp_path: Path) -> None:
    added, refused = add_documents(talks, [story(tmp_path, "undated.txt")])

    assert added == []
    assert "no date found" in refused[0]
    assert not (talks / "private").exists()


def test_a_write_that_fails_leaves_nothing_half_written(
    talks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", fail)

    with pytest.raises(OSError, match="disk full"):
        add_documents(talks, [story(tmp_path, "2018-05-04.txt")])

    assert [path.name for path in (talks / "private").iterdir()] == [".gitignore"]


def test_a_private_file_edited_after_it_was_added_is_refused(talks: Path, tmp_path: Path) -> None:
    add_documents(talks, [story(tmp_path, "2018-05-04.txt")])
    kept = talks / "private" / "2018-05-04-document.txt"
    kept.write_text("The envoys agreed on everything.", encoding="utf-8")

    with pytest.raises(DocumentError, match="its bytes changed"):
        load_documents(talks)


def test_a_published_note_that_lacks_a_fact_is_refused(talks: Path) -> None:
    note = NOTE.replace("publisher: Harbour Gazette\n", "").replace("confidence: high\n", "")
    (talks / "notes" / "2018-05-07.md").write_text(note, encoding="utf-8")

    with pytest.raises(DocumentError) as refusal:
        load_documents(talks)

    assert len(refusal.value.faults) == 2
    assert "lacks publisher" in refusal.value.faults[0]


def test_a_broken_record_is_refused_by_line(talks: Path, tmp_path: Path) -> None:
    add_documents(talks, [story(tmp_path, "2018-05-04.txt")])
    with (talks / "private" / "record.jsonl").open("a", encoding="utf-8") as record:
        record.write("{}\n")

    with pytest.raises(DocumentError, match=r"record\.jsonl:line 2"):
        load_documents(talks)


def test_a_negotiation_that_has_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such negotiation"):
        add_documents(tmp_path / "nowhere", [])


def test_dates_of_the_record_outlive_the_file_name(talks: Path, tmp_path: Path) -> None:
    add_documents(talks, [story(tmp_path, "2018-05-04.txt")], published=date(2018, 5, 2))

    loaded = load_documents(talks)

    assert (loaded[0].published, loaded[0].dated_by) == (date(2018, 5, 2), "option")
