"""Any other coder can join: what it says is held to the documents, and counts once."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from tradegap import cli
from tradegap.coding import code_documents, to_json
from tradegap.documents import add_documents, load_documents
from tradegap.errors import DataError
from tradegap.imports import check_imported, import_signals, join_signals, read_imported
from tradegap.panels import list_evidence, state_method
from tradegap.record import open_record
from tradegap.review import record_decisions
from tradegap.tables import conform, empty
from tradegap.talks import read_negotiation

ROOT = Path(__file__).resolve().parents[1]
TALKS = "us-japan-2019"
LEDGER = ROOT / "data" / "talks" / TALKS / "review.jsonl"
STORY = (
    "Envoys leave Ottawa without a deal\n\n"
    "Japan and the United States remain far apart on beef, the envoy Ken Sato said on Tuesday.\n"
    "The two sides will meet again next month, and the market took little notice of that.\n"
)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The folder of a negotiation, in a project of our data and nothing else."""
    shutil.copytree(ROOT / "data", tmp_path / "project" / "data", ignore=ignore_own)
    monkeypatch.setenv("TRADEGAP_ROOT", str(tmp_path / "project"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "project" / "data" / "talks" / TALKS


def ignore_own(_: str, names: list[str]) -> list[str]:
    return [name for name in names if name in ("private", "signals")]


def claim_of(document, text="", **other):
    """A claim on the first sentence of a note that holds a text, as `tradegap code` prints it."""
    signals = code_documents([document], talks=("Japan", "US"))
    row = signals.iloc[0]
    claim = json.loads(to_json(row))
    return claim | {"why": [], "confidence": 0.8} | other


@pytest.fixture
def note(folder):
    return load_documents(folder, private=False)[0]


@pytest.fixture
def claim(note):
    return claim_of(note)


def write(path: Path, *claims: object) -> Path:
    lines = [each if isinstance(each, str) else json.dumps(each) for each in claims]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_what_tradegap_code_prints_comes_in_whole_and_the_same_file_twice_changes_nothing(
    folder, tmp_path
):
    negotiation = read_negotiation(TALKS)
    notes = load_documents(folder)
    coded = code_documents(notes, talks=negotiation.parties)
    path = write(tmp_path / "a.jsonl", *[to_json(row) for _, row in coded.iterrows()])

    taken, refused = import_signals(TALKS, [path], coder="twin")
    first = (folder / "signals" / "twin.jsonl").read_bytes()
    stamp = (folder / "signals" / "twin.jsonl").stat().st_mtime_ns
    import_signals(TALKS, [path, path], coder="twin")

    assert refused == []
    assert len(taken) == len(coded)
    assert (folder / "signals" / "twin.jsonl").read_bytes() == first
    assert (folder / "signals" / "twin.jsonl").stat().st_mtime_ns == stamp
    back = read_imported(folder, notes).drop(columns="coder")
    order = ["sha256", "start", "direction", "talks"]
    pd.testing.assert_frame_equal(
        back.sort_values(order, ignore_index=True), coded.sort_values(order, ignore_index=True)
    )
    assert [path.name for path in folder.rglob(".*")] == []


def test_a_spreadsheet_saved_as_csv_comes_in_with_the_columns_it_needs(folder, tmp_path, claim):
    cells = {
        key: claim[key] for key in ("sha256", "start", "end", "text", "direction", "confidence")
    }
    path = tmp_path / "sheet.csv"
    with path.open("w", encoding="utf-8-sig", newline="") as stream:
        sheet = csv.DictWriter(stream, [*cells, "issues", "headline"])
        sheet.writeheader()
        sheet.writerow(cells | {"issues": "autos; agriculture", "headline": "FALSE"})

    taken, refused = import_signals(TALKS, [path], coder="ann")

    assert refused == []
    assert taken.iloc[0][["issues", "talks", "pace"]].tolist() == [
        "autos;agriculture",
        "Japan;US",
        "none",
    ]


WRONG = [
    ({"sha256": "0" * 64}, "'sha256' found \"0000000000000000\", no document of these talks"),
    ({"start": 1}, "does not stand in notes/"),
    ({"text": "Gaps remain."}, "'text' \"Gaps remain.\" does not stand in notes/"),
    ({"start": -5}, "'start' found \"-5\"; it takes 0 to any"),
    ({"start": "0"}, "'start' found \"0\"; it takes a whole number"),
    ({"start": True}, "'start' found true"),
    ({"start": 10**30}, "'start' found \"1000000000000000000000000000000\"; it takes a whole"),
    ({"direction": "sideways"}, "'direction' found \"sideways\"; it takes one of: closed,"),
    ({"issues": ["cheese"]}, "'issues' found \"cheese\"; it takes agriculture,"),
    ({"issues": []}, "'issues' is empty; it is required"),
    ({"issues": "autos"}, "'issues' found \"autos\"; it takes a list of codes"),
    ({"talks": ["Japan", "Mars"]}, "'talks' found \"Mars\"; it takes codes of data/parties.csv"),
    ({"party": "Mars"}, "'party' found \"Mars\"; it takes codes of data/parties.csv, analyst,"),
    ({"pace": "brisk"}, "'pace' found \"brisk\""),
    ({"scope": "around"}, "'scope' found \"around\""),
    ({"confidence": 1.01}, "'confidence' found \"1.01\"; it takes 0 to 1"),
    ({"confidence": float("nan")}, "'confidence' found \"NaN\"; it takes a number"),
    ({"confidence": None}, "'confidence' is empty"),
    ({"event_date": "21 August"}, "'event_date' found \"21 August\"; it takes a date"),
    ({"published": "2001-01-01"}, "'published' found 2001-01-01; notes/"),
    ({"forward": {"text": "a round", "date": None}}, "'forward_text' \"a round\" does not stand"),
    ({"forward": {"text": "Japan", "date": "2019-13"}}, "'forward_date' found \"2019-13\""),
    ({"forward": ["a round"]}, '\'forward\' found ["a round"]; it takes {"text"'),
    ({"pace_text": "at a snail's pace"}, "'pace_text' \"at a snail's pace\" does not stand"),
    ({"speaker": "Ada Lovelace"}, "'speaker' found \"Ada Lovelace\"; it takes a person's name"),
    ({"speaker": "<script>"}, "'speaker' found \"<script>\""),
    ({"speaker": "\ud800"}, "half a character"),
    ({"why": [{"cue": "x"}]}, '\'why\' found [{"cue": "x"}]; it takes [{"cue"'),
    ({"coder": "bob"}, "'coder' found \"bob\"; import it under that name, not as ann"),
    ({"documnt": "x"}, 'does not know "documnt"; it takes document, sha256'),
]


@pytest.mark.parametrize(("change", "message"), WRONG, ids=[str(next(iter(c))) for c, _ in WRONG])
def test_a_claim_that_does_not_stand_is_refused_by_itself_and_the_others_go_in(
    folder, tmp_path, claim, change, message
):
    path = write(tmp_path / "a.jsonl", claim | change, claim)

    taken, refused = import_signals(TALKS, [path], coder="ann")

    assert [len(taken), len(refused)] == [1, 1]
    assert refused[0].startswith(f"{path}:line 1: ")
    assert message in refused[0]
    assert "\n" not in refused[0]


@pytest.mark.parametrize(
    "line", ["{oops", "[]", "1", '"a"', "[" * 100_000, '{"start": ' + "9" * 5000]
)
def test_a_line_that_is_no_signal_is_refused_with_its_number(folder, tmp_path, claim, line):
    path = write(tmp_path / "a.jsonl", claim, line)

    taken, refused = import_signals(TALKS, [path], coder="ann")

    assert len(taken) == 1
    assert [each.split(": ")[0] for each in refused[:1]] == [f"{path}:line 2"]
    assert refused[0].endswith("one signal a line, as `tradegap code` prints it")


FILES = [
    ("a.xlsx", b"PK", "found '.xlsx'; it takes .jsonl or .csv"),
    ("a.jsonl", b"\xff\xfe{", "byte 0 is not UTF-8"),
    ("a.csv", b"text;start\n", "lacks sha256"),
    ("a.csv", b'sha256,"start\n', "is no CSV"),
    ("a.csv", b"", "found the columns []"),
    ("absent.jsonl", None, "no such file"),
]


@pytest.mark.parametrize(("name", "raw", "message"), FILES)
def test_a_file_that_holds_no_signals_is_one_line(folder, tmp_path, name, raw, message):
    if raw is not None:
        (tmp_path / name).write_bytes(raw)

    taken, refused = import_signals(TALKS, [tmp_path / name], coder="ann")

    assert (len(taken), len(refused)) == (0, 1)
    assert message in refused[0]
    assert not (folder / "signals").exists()


def test_a_part_of_a_sentence_stands_for_the_sentence_and_two_sentences_for_none(
    folder, tmp_path, note, claim
):
    part = claim | {"end": claim["start"] + 9, "text": claim["text"][:9]}
    end = claim["end"] + 12
    two = claim | {"end": end, "text": note.text[claim["start"] : end]}

    taken, _ = import_signals(TALKS, [write(tmp_path / "a.jsonl", part)], coder="ann")
    _, refused = import_signals(TALKS, [write(tmp_path / "b.jsonl", two)], coder="ann")

    assert taken["text"].tolist() == [claim["text"]]
    assert "is not within one sentence of notes/" in refused[0]


def test_what_a_coder_says_of_a_document_is_what_it_said_last(folder, tmp_path, claim):
    other = claim_of(load_documents(folder)[2])
    import_signals(TALKS, [write(tmp_path / "a.jsonl", claim, other)], coder="ann")

    recoded = claim | {"direction": "widening"}
    import_signals(TALKS, [write(tmp_path / "b.jsonl", recoded)], coder="ann")

    stands = read_imported(folder, load_documents(folder))
    assert sorted(stands["direction"]) == sorted(["widening", other["direction"]])


def test_one_sentence_coded_in_two_ways_under_one_name_is_refused(folder, tmp_path, claim):
    path = write(tmp_path / "a.jsonl", claim, claim | {"confidence": 0.1})

    taken, refused = import_signals(TALKS, [path], coder="ann")

    assert taken["confidence"].tolist() == [0.8]
    assert refused == [f"{path}:line 2: says otherwise what {path}:line 1 says; keep one"]


@pytest.mark.parametrize("coder", ["", "Ann", "../../etc", "a/b", "cues", "x" * 41, "con.jsonl"])
def test_a_coders_name_is_a_plain_word(folder, tmp_path, claim, coder):
    with pytest.raises(DataError, match="--coder: found"):
        import_signals(TALKS, [write(tmp_path / "a.jsonl", claim)], coder=coder)

    assert not (folder / "signals").exists()


def test_a_chat_models_word_is_never_taken_for_sure(folder, tmp_path, claim):
    path = write(tmp_path / "a.jsonl", claim | {"confidence": 0.9, "coder": "chat-m"})

    _, refused = import_signals(TALKS, [path], coder="chat-m")
    _, renamed = import_signals(TALKS, [path], coder="ann")

    assert refused == [f"{path}:line 1: 'confidence' found 0.9; a chat model's is 0.5 at most"]
    assert "'coder' found \"chat-m\"; import it under that name" in renamed[0]


def private_claim(folder, tmp_path, **other):
    story = tmp_path / "story-2019-08-21.txt"
    story.write_text(STORY, encoding="utf-8")
    add_documents(folder, [story])
    (document,) = [each for each in load_documents(folder) if each.is_private]
    start = STORY.index("Japan")
    text = STORY[start:].split("\n")[0]
    return document, {
        "sha256": document.sha256,
        "start": start,
        "end": start + len(text),
        "text": text,
        "direction": "open",
        "issues": ["agriculture"],
        "confidence": 0.9,
    } | other


def test_signals_on_a_private_document_stay_in_its_ignored_folder(folder, tmp_path, claim):
    _, own = private_claim(folder, tmp_path)

    import_signals(TALKS, [write(tmp_path / "a.jsonl", claim, own)], coder="ann")

    public = (folder / "signals" / "ann.jsonl").read_text(encoding="utf-8")
    private = folder / "private" / "signals" / "ann.jsonl"
    assert own["text"] not in public
    assert own["text"] in private.read_text(encoding="utf-8")
    assert (private.parent / ".gitignore").read_text(encoding="utf-8") == "*\n"


def test_private_words_in_an_imported_reason_reach_no_page(folder, tmp_path):
    words = "the market took little notice of that"
    _, own = private_claim(folder, tmp_path, why=[{"cue": words, "weight": 1}])
    import_signals(TALKS, [write(tmp_path / "a.jsonl", own)], coder="ann")

    record = open_record(TALKS)

    assert "cues;ann" in set(record.shown["coder"])
    assert words not in record.shown.to_csv()
    assert "found by the built-in coder and ann" in list_evidence(record).html


def test_a_private_sentence_among_the_public_signals_is_refused(folder, tmp_path, claim):
    _, own = private_claim(folder, tmp_path)
    import_signals(TALKS, [write(tmp_path / "a.jsonl", own)], coder="ann")
    (folder / "signals").mkdir()
    (folder / "private" / "signals" / "ann.jsonl").rename(folder / "signals" / "ann.jsonl")

    faults = check_imported(folder, load_documents(folder))

    assert len(faults) == 1
    assert "whose text is not to get into git" in faults[0]


def test_a_note_that_changed_since_it_was_coded_is_told(folder, tmp_path, note, claim):
    import_signals(TALKS, [write(tmp_path / "a.jsonl", claim)], coder="ann")
    path = folder / note.name
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")

    faults = check_imported(folder, load_documents(folder))

    assert [each.split(": ", 1)[1] for each in faults] == [
        f'"{note.name}" is not there or has changed since; import its signals again'
    ]
    assert read_imported(folder, load_documents(folder)).empty


def test_a_kept_line_that_was_broken_by_hand_stops_the_page(folder, tmp_path, claim):
    import_signals(TALKS, [write(tmp_path / "a.jsonl", claim)], coder="ann")
    path = folder / "signals" / "ann.jsonl"
    path.write_text(path.read_text(encoding="utf-8").replace('"issues": ["', '"issues": ["x'))

    with pytest.raises(DataError, match=r"ann.jsonl:line 1: 'issues' found"):
        open_record(TALKS)


def signals_of(*rows, coder=""):
    base = json.loads(LEDGER.read_text(encoding="utf-8").splitlines()[0])
    frame = conform(pd.DataFrame([base | row for row in rows]), "signals")
    return conform(frame.assign(coder=coder), "found_signals") if coder else frame


def test_two_coders_who_say_the_same_give_one_signal_no_surer_than_the_surest():
    ours = signals_of({"confidence": 0.6, "issues": "autos"}, {"start": 0, "confidence": 0.3})
    theirs = signals_of({"confidence": 0.7, "issues": "overall"}, coder="ann")

    joined = join_signals(ours, theirs)

    assert joined[["coder", "confidence", "issues"]].to_numpy().tolist() == [
        ["cues", 0.3, "overall"],
        ["cues;ann", 0.7, "overall"],
    ]


def test_two_coders_who_differ_give_two_signals_and_one_reports_weight(folder, tmp_path):
    note = load_documents(folder)[0]
    (folder / "review.jsonl").unlink()
    before = open_record(TALKS)
    own = before.signals[before.signals["sha256"] == note.sha256]
    row = own[own["direction"] != "none"].iloc[0]
    claim = json.loads(to_json(row[empty("signals").columns])) | {
        "direction": "widening" if row["direction"] != "widening" else "closed"
    }

    import_signals(TALKS, [write(tmp_path / "a.jsonl", claim)], coder="ann")
    after = open_record(TALKS)

    story = row["story"]
    hashes = set(after.signals.loc[after.signals["story"] == story, "sha256"])
    totals = after.evidence[after.evidence["sha256"].isin(hashes)]
    by_issue = totals.query("said_of == issue_id").groupby("issue_id")["weight"].sum()
    assert len(after.signals) == len(before.signals) + 1
    assert (by_issue <= 1.0001).all()


def test_review_stands_over_every_coder(folder, tmp_path, note, claim):
    decided = {"decision": "confirm", "coded_direction": claim["direction"], "reviewer": "me"}
    (folder / "review.jsonl").unlink()
    row = open_record(TALKS).signals.query("sha256 == @note.sha256").iloc[0]
    whole = (
        row[empty("signals").columns]
        .to_frame()
        .T.assign(**decided, reviewed_on=pd.Timestamp("2026-01-01"), reason="")
    )
    record_decisions(TALKS, whole)

    other = claim | {"direction": "widening", "confidence": 1.0}
    import_signals(TALKS, [write(tmp_path / "a.jsonl", other)], coder="ann")
    signals = open_record(TALKS).signals

    there = signals[(signals["sha256"] == note.sha256) & (signals["start"] == claim["start"])]
    assert there[["direction", "review", "coder"]].to_numpy().tolist() == [
        [claim["direction"], "confirmed", ""]
    ]


def test_a_page_says_who_found_what_and_nothing_new_without_imports(folder, tmp_path, claim):
    (folder / "review.jsonl").unlink()
    before = state_method(open_record(TALKS)).html

    import_signals(TALKS, [write(tmp_path / "a.jsonl", claim)], coder="ann")
    record = open_record(TALKS)

    assert "other coders" not in before
    assert "Signals of other coders stand beside the program's: ann 1." in state_method(record).html


def test_the_command_takes_what_stands_names_the_rest_and_exits_with_1(
    folder, tmp_path, claim, capsys
):
    path = write(tmp_path / "a.jsonl", claim, claim | {"start": 0})

    with pytest.raises(SystemExit) as end:
        cli.main(["import-signals", TALKS, str(path), "--coder", "ann"])

    out, err = capsys.readouterr()
    assert end.value.code == 1
    assert out == "ann: 1 signal on 1 document\n"
    assert len(err.splitlines()) == 1
    assert err.startswith(f"{path}:line 2: ")


def test_an_import_that_cannot_be_written_leaves_what_was_there(
    folder, tmp_path, claim, monkeypatch
):
    import_signals(TALKS, [write(tmp_path / "a.jsonl", claim)], coder="ann")
    before = (folder / "signals" / "ann.jsonl").read_bytes()
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "full")))

    with pytest.raises(DataError, match=r"ann.jsonl: cannot be written \(full\)"):
        import_signals(
            TALKS, [write(tmp_path / "b.jsonl", claim | {"confidence": 0.2})], coder="ann"
        )

    assert (folder / "signals" / "ann.jsonl").read_bytes() == before
    assert [path.name for path in (folder / "signals").iterdir()] == ["ann.jsonl"]
