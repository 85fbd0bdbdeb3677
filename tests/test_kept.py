"""No document is coded twice, and what is kept changes nothing."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tradegap import coding, kept
from tradegap.coding import code_documents
from tradegap.documents import Document, load_documents
from tradegap.kept import code_once, prepare_store

ROOT = Path(__file__).resolve().parents[1]
TALKS = ("Japan", "US")


@pytest.fixture(scope="module")
def documents():
    return load_documents(ROOT / "data" / "talks" / "us-japan-2019", private=False)[:12]


@pytest.fixture
def store(tmp_path, monkeypatch) -> Path:
    """A store, named as a build names it, and empty."""
    path = tmp_path / "signals.sqlite"
    monkeypatch.setenv(kept.STORE, str(path))
    return path


@pytest.fixture
def coded(monkeypatch) -> list[str]:
    """The documents that the coder is asked about, as they come."""
    asked: list[str] = []
    find = coding.find_signals

    def find_signals(document, *others):
        asked.append(document.name)
        return find(document, *others)

    monkeypatch.setattr(coding, "find_signals", find_signals)
    return asked


def test_kept_signals_are_the_same_frame_as_coded_ones(documents, store):
    fresh = code_documents(documents, talks=TALKS)

    first, again = (code_once(documents, talks=TALKS) for _ in range(2))

    pd.testing.assert_frame_equal(first, fresh)
    pd.testing.assert_frame_equal(again, fresh)


def test_no_document_is_coded_twice(documents, store, coded):
    code_once(documents[:8], talks=TALKS)
    code_once(documents, talks=TALKS)
    code_once(documents[4:], talks=TALKS)

    assert sorted(coded) == sorted(each.name for each in documents)


def test_a_document_is_coded_anew_where_anything_that_the_coder_sees_differs(store, coded):
    document = Document(
        "a.txt", "00", "Japan and the US are far apart on beef.", date(2019, 8, 21), ""
    )
    other = Document("a.txt", "00", document.text, date(2019, 8, 22), "")

    code_once([document], talks=TALKS)
    code_once([other], talks=TALKS)
    code_once([document], talks=("EU", "US"))

    assert len(coded) == 3


def test_a_new_coder_is_asked_again_and_what_the_old_one_said_is_forgotten(
    documents, store, coded, monkeypatch
):
    code_once(documents[:1], talks=TALKS)
    monkeypatch.setattr(kept, "name_coder", lambda: "another")

    prepare_store(store)
    code_once(documents[:1], talks=TALKS)

    assert len(coded) == 2
    with sqlite3.connect(store) as found:
        assert found.execute("SELECT coder FROM signals").fetchall() == [("another",)]


@pytest.mark.parametrize("harm", [b"no database at all", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_broken_store_is_put_aside_and_made_anew(documents, store, coded, harm):
    store.write_bytes(harm)

    told = code_once(documents[:2], talks=TALKS)
    prepare_store(store)
    code_once(documents[:2], talks=TALKS)
    code_once(documents[:2], talks=TALKS)

    pd.testing.assert_frame_equal(told, code_documents(documents[:2], talks=TALKS))
    assert store.with_name("signals.sqlite.broken").is_file()
    assert len(coded) == 6  # twice without a store or into the new one, and by the test itself


def test_processes_at_the_same_time_share_the_work(documents, store):
    context = multiprocessing.get_context("spawn")
    with context.Pool(2) as pool:
        counts = pool.map(count_coded, [(documents, os.environ[kept.STORE])] * 2)

    assert sum(counts) == len(documents)


def count_coded(told) -> int:
    """Code documents in a process of its own; return how many it was asked about."""
    documents, path = told
    os.environ[kept.STORE] = path
    find, count = coding.find_signals, 0

    def find_signals(*arguments):
        nonlocal count
        count += 1
        return find(*arguments)

    coding.find_signals = find_signals
    code_once(documents, talks=TALKS)
    return count


def test_without_a_store_documents_are_simply_coded(documents, monkeypatch, coded):
    monkeypatch.delenv(kept.STORE, raising=False)

    code_once(documents[:2], talks=TALKS)

    assert len(coded) == 2
