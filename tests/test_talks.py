import shutil
from pathlib import Path

import pandas as pd
import pytest

from tradegap.errors import DataError
from tradegap.tables import conform, declared_tables, empty, read_table
from tradegap.talks import list_negotiations, read_issues, read_negotiation
from tradegap.verify import check_folder, check_inputs

ROOT = Path(__file__).resolve().parents[1]
SLUG = "us-japan-2019"


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A copy of the real data that a test may break."""
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("private"))
    monkeypatch.setenv("TRADEGAP_ROOT", str(tmp_path))
    return tmp_path / "data" / "talks" / SLUG


@pytest.mark.parametrize("slug", list_negotiations())
def test_every_published_negotiation_stands_by_its_schema(slug):
    negotiation = read_negotiation(slug)

    assert "overall" in set(negotiation.issues["issue_id"])
    assert len(negotiation.rounds) > 3


MISTAKES = [
    ("negotiation.yml", "outcome: agreed", "outcome: signed", "line 5: outcome: found 'signed'"),
    ("negotiation.yml", "opened_on: 2018-08-09", "opened_on: spring", "it takes a date"),
    ("negotiation.yml", "parties:", "sides:", "does not know the key sides"),
    ("negotiation.yml", "parties: [Japan, US]", "parties: [Japan, Atlantis]", "'Atlantis'"),
    ("negotiation.yml", "mandate_url: http", "mandate_url: gopher", "mandate_url"),
    ("negotiation.yml", "title: ", "title: [", "is no valid YAML"),
    ("negotiation.yml", "ended_on: 2020-01-01", "ended_on: 2017-01-01", "is before opened_on"),
    ("issues.csv", "autos,3", "autos,7", "row 4: column 'salience' found '7'"),
    ("issues.csv", "\nautos,", "\nmotors,", "column 'issue_id' found 'motors'"),
    ("issues.csv", "2019-08-25", "2019-08-35", "it takes a date as YYYY-MM-DD"),
    ("issues.csv", ",deferred,", ",delayed,", "it takes one of: agreed, partly agreed, deferred"),
    ("issues.csv", "agriculture,3", "overall,3", "has already; it must be unique"),
    ("rounds.csv", "round_id,", "id,", "lacks ['round_id']"),
    ("rounds.csv", ",ministers,", ",minister,", "it takes one of: leaders, ministers"),
    ("rounds.csv", "\nr02,", "\nr02,,,,", "cells; it takes 10"),
    ("positions.csv", ",Japan,", ",China,", "the parties are Japan, US"),
    ("issues.csv", "\noverall,", "\nfisheries,", "has no row 'overall'"),
    ("rounds.csv", "2018-08-09", "2018-07-09", "is before the talks opened on 2018-08-09"),
    ("milestones.csv", ",mandate,", ",wish,", "column 'kind' found 'wish'"),
    ("negotiation.yml", "outcome: agreed\n", "", "without an outcome"),
    ("negotiation.yml", "[Japan, US]", "[Japan]", "it takes two parties or more"),
    ("negotiation.yml", "[Japan, US]", "Japan", "it takes a list of codes"),
    ("negotiation.yml", "outcome: agreed", "1: one", "does not know the key 1"),
    ("issues.csv", "overall,3,agreed,2019", "overall,3,agreed,2017", "is before the talks opened"),
    ("issues.csv", "overall,3", "overall,٣", "it takes a whole number"),
    ("rounds.csv", "2018-08-10", "2999-08-10", "from 1900 to 2099"),
    ("rounds.csv", "https://webarchive", "javascript:x", "it takes the form https?://"),
    ("rounds.csv", "\nr02,", "\n\nr02,", "row 3: is blank; delete it"),
    ("stakes.csv", "in force,US", "in force,Mars", "column 'applied_by' found 'Mars'"),
]


@pytest.mark.parametrize(("name", "old", "new", "message"), MISTAKES)
def test_a_broken_folder_is_refused_saying_where_and_what_would_do(copy, name, old, new, message):
    path = copy / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")

    with pytest.raises(DataError) as refusal:
        read_negotiation(SLUG)

    assert message in str(refusal.value)
    assert name in str(refusal.value)
    assert f"data/talks/{SLUG}/" in str(refusal.value)


def test_all_faults_of_a_folder_are_named_at_once(copy):
    (copy / "rounds.csv").write_text("nonsense\n", encoding="utf-8")
    (copy / "positions.csv").unlink()
    (copy / "milestones.csv").write_bytes(b"\xff\xfe")

    with pytest.raises(DataError) as refusal:
        read_negotiation(SLUG)

    assert len(refusal.value.faults) == 3


NOTE = "notes/2018-08-10-ustr.md"
CHECKED = [
    (NOTE, b"publisher: USTR\n", b"", "front matter lacks publisher"),
    (NOTE, b"published: ", b"published: [", "front matter is not YAML"),
    (NOTE, b"\n\n", b"\n\n\xe9 ", "is not UTF-8"),
    (NOTE, b"frank", b"very frank", "has changed since it was reviewed"),
    ("review.jsonl", b'"scope": "between"', b'"scope": "amid"', "line 1: 'scope' found 'amid'"),
    ("review.jsonl", b"{", b"", "line 1: is no JSON"),
]


@pytest.mark.parametrize(("name", "old", "new", "message"), CHECKED)
def test_a_check_refuses_broken_notes_and_ledgers_too(copy, name, old, new, message):
    raw = (copy / name).read_bytes()
    assert old in raw
    (copy / name).write_bytes(raw.replace(old, new, 1))

    faults = check_folder(copy, root=copy.parents[2])

    assert any(message in fault for fault in faults), faults
    assert all(fault.startswith(f"data/talks/{SLUG}/") for fault in faults)


def test_a_check_refuses_a_folder_without_a_negotiation(copy):
    (copy.parent / "draft").mkdir()

    faults = check_folder(copy.parent / "draft", root=copy.parents[2])

    assert faults[0].startswith("data/talks/draft: no negotiation.yml there")


def test_faults_between_files_are_named_beside_those_within_one(copy):
    head, positions = copy / "negotiation.yml", copy / "positions.csv"
    head.write_text(
        head.read_text(encoding="utf-8").replace("2020-01-01", "2017-01-01"), encoding="utf-8"
    )
    positions.write_text(
        positions.read_text(encoding="utf-8").replace("p01,Japan", "p01,Mars"), encoding="utf-8"
    )

    with pytest.raises(DataError) as refusal:
        read_negotiation(SLUG)

    assert len(refusal.value.faults) == 2


def test_a_semicolon_sheet_an_open_quote_and_a_folder_are_refused_in_a_line_each(copy):
    rounds, stakes = copy / "rounds.csv", copy / "stakes.csv"
    rounds.write_text(rounds.read_text(encoding="utf-8").replace(",", ";"), encoding="utf-8")
    stakes.write_text(stakes.read_text(encoding="utf-8") + '"s99', encoding="utf-8")
    (copy / "positions.csv").unlink()
    (copy / "positions.csv").mkdir()

    with pytest.raises(DataError) as refusal:
        read_negotiation(SLUG)

    told = "\n".join(refusal.value.faults)
    assert len(refusal.value.faults) == 3
    assert "part the cells with commas" in told
    assert "is no CSV (unexpected end of data)" in told
    assert "positions.csv: cannot be read" in told


def test_a_check_refuses_notes_that_nobody_could_rely_on(copy):
    notes = copy / "notes"
    note = (copy / NOTE).read_bytes()
    (notes / "2018-08-10-twice.md").write_bytes(note)
    (notes / "2018-08-09-early.md").write_bytes(note + b"One day off.\n")
    (notes / "2099-01-01-ahead.md").write_bytes(note.replace(b"2018-08-10", b"2099-01-01", 1))
    (notes / "2018-08-10-stray.txt").write_bytes(b"A stray text.\n")
    (notes / "2018-08-10-folder.md").mkdir()

    told = check_folder(copy, root=copy.parents[2])

    assert len(told) == 5
    for name, message in (
        ("2018-08-10-ustr.md", "is 2018-08-10-twice.md once more"),
        ("2018-08-09-early.md", "its name starts with that day"),
        ("2099-01-01-ahead.md", "it takes a day from 1900-01-01 to today"),
        ("2018-08-10-stray.txt", "is no note"),
        ("2018-08-10-folder.md", "cannot be read"),
    ):
        assert any(name in fault and message in fault for fault in told), (name, told)


@pytest.mark.parametrize("name", ["US-Japan-2019", "us-japan-２019"])
def test_two_folders_with_one_slug_are_refused_by_name(copy, name):
    for other in copy.parent.iterdir():
        if other != copy:
            shutil.rmtree(other)
    shutil.copytree(copy, copy.parent / name)

    told = check_inputs(copy.parents[2])

    once = [fault for fault in told if "once more, as many file systems see it" in fault]
    assert len(once) == 1
    assert SLUG in once[0]
    assert name in once[0]
    assert f"data/talks/{name}: its name takes small letters, digits and hyphens" in told


def test_a_negotiation_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(DataError, match=r"the negotiations are .*us-japan-2019"):
        read_negotiation("atlantis")


def test_adding_a_negotiation_is_adding_a_folder(copy):
    shutil.copytree(copy, copy.parent / "japan-us-again")

    assert "japan-us-again" in list_negotiations()
    assert read_negotiation("japan-us-again").parties == ("Japan", "US")


def test_a_key_that_repeats_is_refused_with_both_lines(copy):
    path = copy / "negotiation.yml"
    path.write_text(path.read_text(encoding="utf-8") + "\ntitle: twice\n", encoding="utf-8")

    with pytest.raises(DataError, match="the key 'title' stands on line 1 already"):
        read_negotiation(SLUG)


def test_conform_orders_types_and_fills_without_touching_what_it_was_given():
    given = pd.DataFrame({"issue": ["Autos"], "definition": [None], "issue_id": ["autos"]})
    before = given.copy()

    conformed = conform(given, "issues")

    assert list(conformed.columns) == declared_tables()["issues"].columns
    assert conformed["definition"].tolist() == [""]
    pd.testing.assert_frame_equal(given, before)


def test_conform_refuses_a_missing_column_a_strange_value_and_a_repeated_key():
    issues = read_issues()
    with pytest.raises(DataError, match="no column definition"):
        conform(issues.drop(columns="definition"), "issues")
    with pytest.raises(DataError, match="the key"):
        conform(pd.concat([issues, issues]), "issues")
    with pytest.raises(DataError, match="salience"):
        conform(pd.DataFrame({c: ["x"] for c in empty("negotiation_issues")}), "negotiation_issues")


def test_a_table_reads_back_as_it_was_written(tmp_path):
    milestones = read_negotiation(SLUG).milestones
    milestones.to_csv(tmp_path / "m.csv", index=False, date_format="%Y-%m-%d")

    pd.testing.assert_frame_equal(read_table(tmp_path / "m.csv", "milestones"), milestones)
