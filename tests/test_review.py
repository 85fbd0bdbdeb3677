import json
import shutil
from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from tradegap.documents import Block, Document, add_documents
from tradegap.errors import DataError
from tradegap.record import open_record
from tradegap.review import (
    accept_signals,
    append_decisions,
    check_ledger,
    read_decisions,
    read_ledger,
    record_decisions,
)
from tradegap.tables import conform, empty

TEXT = "Gaps remain on autos. The two sides moved closer on beef."


def coded(direction="open", start=0, end=21, **other):
    row = {
        "document": "notes/note.md",
        "sha256": "abc",
        "start": start,
        "end": end,
        "text": TEXT[start:end],
        "direction": direction,
        "issues": "autos",
        "speaker": "",
        "party": "",
        "pace": "none",
        "pace_text": "",
        "forward_text": "",
        "forward_date": "",
        "scope": "between",
        "talks": "Japan;US",
        "published": pd.Timestamp("2019-08-21"),
        "event_date": pd.Timestamp("2019-08-21"),
        "headline": False,
        "confidence": 0.6,
        "why": "gap +1",
    }
    return row | other


def decided(decision, coded_direction="open", **other):
    return coded(**other) | {
        "coded_direction": coded_direction,
        "decision": decision,
        "reviewer": "an analyst",
        "reviewed_on": pd.Timestamp("2026-11-23"),
        "reason": "",
    }


def decisions(*rows):
    return conform(pd.DataFrame(list(rows)), "decisions") if rows else empty("decisions")


SIGNALS = conform(pd.DataFrame([coded(), coded("narrowing", 22, 57)]), "signals")
DOCUMENTS = pd.DataFrame(
    {
        "sha256": ["abc"],
        "document": ["notes/note.md"],
        "publisher": ["A paper"],
        "story": ["abc"],
        "is_private": [False],
    }
)


def accept(*rows):
    return accept_signals(SIGNALS, decisions(*rows), DOCUMENTS)


def test_undecided_signals_stand_as_coded_and_say_so():
    accepted = accept()

    assert accepted["review"].tolist() == ["unreviewed", "unreviewed"]
    assert accepted["confidence"].tolist() == [0.6, 0.6]
    assert accepted["publisher"].tolist() == ["A paper", "A paper"]


def test_a_confirmed_signal_is_sure_and_a_rejected_one_is_gone():
    accepted = accept(
        decided("confirm"), decided("reject", "narrowing", direction="narrowing", start=22, end=57)
    )

    assert accepted[["direction", "review", "confidence"]].to_numpy().tolist() == [
        ["open", "confirmed", 1.0]
    ]


def test_a_correction_takes_the_place_of_what_was_coded():
    accepted = accept(decided("correct", direction="widening", speaker="A Minister"))

    first = accepted.iloc[0]
    assert (first["direction"], first["speaker"], first["review"]) == (
        "widening",
        "A Minister",
        "corrected",
    )


def test_an_added_signal_stands_beside_a_confirmed_one_on_the_same_sentence():
    accepted = accept(decided("confirm"), decided("add", "", direction="narrowing"))

    of_first = accepted[accepted["start"] == 0]
    assert set(zip(of_first["direction"], of_first["review"], strict=True)) == {
        ("open", "confirmed"),
        ("narrowing", "added"),
    }


def test_the_latest_decision_on_a_sentence_stands():
    accepted = accept(decided("reject"), decided("confirm"))

    assert accepted.iloc[0]["review"] == "confirmed"


def test_what_a_later_coder_finds_on_a_decided_sentence_does_not_count():
    recoded = conform(pd.DataFrame([coded("widening")]), "signals")

    accepted = accept_signals(recoded, decisions(decided("confirm")), DOCUMENTS)

    assert accepted["direction"].tolist() == ["open"]


def test_a_decision_on_a_document_that_is_not_here_has_no_effect():
    accepted = accept(decided("add", "", sha256="elsewhere"))

    assert accepted["sha256"].unique().tolist() == ["abc"]


def test_a_ledger_only_grows_and_reads_back(tmp_path):
    path = tmp_path / "review.jsonl"

    append_decisions(path, decisions(decided("confirm")))
    first = path.read_bytes()
    append_decisions(path, decisions(decided("reject")))

    assert path.read_bytes().startswith(first)
    assert read_decisions(path)["decision"].tolist() == ["confirm", "reject"]
    pd.testing.assert_frame_equal(read_decisions(path).iloc[:1], decisions(decided("confirm")))


def test_a_broken_line_of_a_ledger_is_refused_with_its_number(tmp_path):
    path = tmp_path / "review.jsonl"
    append_decisions(path, decisions(decided("confirm"), decided("confirm", start=22, end=57)))
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[0] = lines[0].replace('"confirm"', '"maybe"')
    lines.append("{oops")
    path.write_text("\n".join(lines), encoding="utf-8")

    with pytest.raises(DataError) as refusal:
        read_decisions(path)

    assert "line 1: 'decision' found 'maybe'" in refusal.value.faults[0]
    assert "line 3: is no JSON" in refusal.value.faults[1]


def test_a_sentence_that_no_longer_stands_in_its_document_is_named(tmp_path):
    path = tmp_path / "review.jsonl"
    append_decisions(path, decisions(decided("confirm"), decided("confirm", text="Other words.")))
    document = Document(
        name="notes/note.md",
        sha256="abc",
        text=TEXT,
        published=date(2019, 8, 21),
        dated_by="front matter",
        blocks=(Block(0, len(TEXT), "text"),),
    )

    faults = check_ledger(path, [document])

    assert len(faults) == 1
    assert "line 2: 'Other words.' does not stand in notes/note.md" in faults[0]


WRONG_VALUES = [
    ("start", "0", "'start' found \"0\"; it takes a integer"),
    ("start", 10**30, "'start' found '1000"),
    ("start", True, "'start' found true"),
    ("headline", "false", "'headline' found \"false\""),
    ("confidence", float("nan"), "'confidence' found 'nan'"),
    ("issues", ["autos"], "'issues' found [\"autos\"]"),
    ("published", None, "'published' is empty; it is required"),
    ("speaker", "\ud800", "half a character"),
]


@pytest.mark.parametrize(("column", "value", "message"), WRONG_VALUES)
def test_a_value_of_another_type_is_refused_not_bent(tmp_path, column, value, message):
    path = tmp_path / "review.jsonl"
    append_decisions(path, decisions(decided("confirm")))
    row = json.loads(path.read_text(encoding="utf-8")) | {column: value}
    path.write_text(json.dumps(row), encoding="utf-8")

    with pytest.raises(DataError) as refusal:
        read_decisions(path)

    assert len(refusal.value.faults) == 1
    assert message in refusal.value.faults[0]


def test_a_ledger_that_is_no_text_or_nested_beyond_reason_is_refused(tmp_path):
    path = tmp_path / "review.jsonl"
    for raw, message in ((b"\xff\xfe{", "byte 0 is not UTF-8"), (b"[" * 200_000, "is no JSON")):
        path.write_bytes(raw)

        with pytest.raises(DataError, match=message):
            read_decisions(path)


def test_a_line_separator_inside_a_sentence_ends_no_line(tmp_path):
    path = tmp_path / "review.jsonl"

    append_decisions(path, decisions(decided("confirm", text="Gaps\u2028remain.")))

    assert read_decisions(path)["text"].tolist() == ["Gaps\u2028remain."]


def test_a_ledger_is_held_to_the_code_lists_and_to_the_notes_there(tmp_path):
    path = tmp_path / "review.jsonl"
    wrong = decided("confirm", issues="cheese", talks="Japan;Mars", document="notes/gone.md")
    append_decisions(path, decisions(wrong))

    faults = check_ledger(path, [])

    assert [fault.partition("review.jsonl")[2][:36] for fault in faults] == [
        ":line 1: 'issues' found 'cheese'; it",
        ":line 1: 'talks' found 'Mars'; it ta",
        ": notes/gone.md is not there; bring ",
    ]


TALKS = "us-japan-2019"
STORY = (
    "Envoys leave Ottawa without a deal\n\n"
    "Japan and the United States remain far apart on beef, the envoy Ken Sato said on Tuesday.\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The folder of a negotiation with one private story, in a project of our data alone."""
    data = Path(__file__).resolve().parents[1] / "data"
    ignored = shutil.ignore_patterns("private", "signals", "training")
    shutil.copytree(data, tmp_path / "data", ignore=ignored)
    monkeypatch.setenv("TRADEGAP_ROOT", str(tmp_path))
    (tmp_path / "story.txt").write_text(STORY, encoding="utf-8")
    place = tmp_path / "data" / "talks" / TALKS
    add_documents(place, [tmp_path / "story.txt"], published=date(2019, 8, 21))
    return place


def confirm(signals):
    return conform(
        signals.assign(
            coded_direction=signals["direction"],
            decision="confirm",
            reviewer="an analyst",
            reviewed_on=pd.Timestamp("2026-11-24"),
            reason="",
        ),
        "decisions",
    )


def test_a_decision_on_a_private_sentence_stays_where_git_does_not_look(folder):
    published = (folder / "review.jsonl").read_bytes()
    signals = open_record(TALKS).signals

    record_decisions(TALKS, confirm(signals[signals["is_private"]]))

    after = open_record(TALKS).signals
    own = after[after["is_private"]]
    assert own["review"].tolist() == ["confirmed"] * len(own) != []
    assert (folder / "review.jsonl").read_bytes() == published
    assert "far apart on beef" in (folder / "private" / "review.jsonl").read_text("utf-8")
    assert (folder / "private" / ".gitignore").read_text("utf-8") == "*\n"


def test_decisions_are_parted_by_whose_document_they_are_on(folder):
    signals = open_record(TALKS).signals
    both = pd.concat([signals[signals["is_private"]].head(1), signals[~signals["is_private"]][:1]])
    known = read_decisions(folder / "review.jsonl")

    record_decisions(TALKS, confirm(both))

    assert len(read_decisions(folder / "review.jsonl")) == len(known) + 1
    assert len(read_decisions(folder / "private" / "review.jsonl")) == 1
    assert len(read_ledger(folder)) == len(known) + 2


def test_a_decision_on_what_no_document_says_is_refused_and_nothing_is_written(folder):
    signals = open_record(TALKS).signals
    good, bad = confirm(signals.head(1)), confirm(signals.head(1).assign(text="Other words"))
    before = (folder / "review.jsonl").read_bytes()

    with pytest.raises(DataError, match="'Other words' does not stand at"):
        record_decisions(TALKS, pd.concat([good, bad]))

    assert (folder / "review.jsonl").read_bytes() == before


def test_a_private_sentence_in_a_ledger_that_git_tracks_is_a_fault(tmp_path):
    path = tmp_path / "review.jsonl"
    own = decided("confirm", document="private/2019-08-21-story.txt")
    append_decisions(path, decisions(own))
    (tmp_path / "private").mkdir()
    append_decisions(tmp_path / "private" / "review.jsonl", decisions(own))

    faults = check_ledger(path, [])

    assert len(faults) == 1
    assert "line 1: decides on private/2019-08-21-story.txt" in faults[0]
    assert check_ledger(tmp_path / "private" / "review.jsonl", []) == []
