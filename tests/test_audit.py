"""What is said of the coder's reliability is what the scorer wrote, and adds up."""

from __future__ import annotations

import html
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import tradegap
from tradegap import cli
from tradegap.audit import render_audit, sum_up
from tradegap.charts import figure
from tradegap.coding.agreement import (
    bootstrap,
    coincide,
    compute_alpha,
    count_pairs,
    pair_directions,
)
from tradegap.tables import read_table

ROOT = Path(__file__).resolve().parents[1]
SCORES = ROOT / "data" / "training" / "scores.json"
DIRECTIONS = ["closed", "narrowing", "open", "widening"]

# The worked example of Krippendorff (2011), part D: four observers, twelve units, values missing.
OBSERVERS = """
1 2 3 3 2 1 4 1 2 . . .
1 2 3 3 2 2 4 1 2 5 . 3
. 3 3 3 2 3 4 2 2 5 1 .
1 2 3 3 2 4 4 1 2 5 1 .
"""


@pytest.fixture(scope="module")
def audit():
    return tradegap.open_audit()


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """Give a project whose scores.json a test may spoil; returns the file."""
    folder = tmp_path / "data" / "training"
    folder.mkdir(parents=True)
    for name in ("scores.json", "errors.csv", "error_kinds.csv"):
        shutil.copy(SCORES.with_name(name), folder / name)
    (tmp_path / "data" / "talks").mkdir()
    for name in ("parties.csv", "issues.csv"):
        shutil.copy(ROOT / "data" / name, tmp_path / "data" / name)
    monkeypatch.setenv("TRADEGAP_ROOT", str(tmp_path))
    return folder / "scores.json"


@pytest.mark.parametrize(("is_ordinal", "alpha"), [(False, 0.743), (True, 0.815)])
def test_alpha_is_that_of_the_published_example(is_ordinal, alpha):
    columns = zip(*(line.split() for line in OBSERVERS.strip().splitlines()), strict=True)
    units = [[int(value) - 1 for value in column if value != "."] for column in columns]

    found = compute_alpha(coincide(units, 5), is_ordinal=is_ordinal)

    assert round(found, 3) == alpha


def test_alpha_of_two_coders_comes_from_their_confusion_matrix():
    units = [[0, 0], [0, 1], [1, 1], [2, 1], [2, 2], [2, 2]]
    confusion = np.zeros((3, 3))
    for one, other in units:
        confusion[one, other] += 1

    assert np.array_equal(coincide(units, 3), confusion + confusion.T)


def test_full_agreement_is_one_and_a_step_on_the_scale_costs_less_than_three():
    full = np.diag([5.0, 5, 5, 5])
    near, far = full.copy(), full.copy()
    near[0, 1] = near[1, 0] = far[0, 3] = far[3, 0] = 2

    assert compute_alpha(full, is_ordinal=True) == 1
    assert compute_alpha(near, is_ordinal=True) > compute_alpha(far, is_ordinal=True)
    assert np.isclose(compute_alpha(near), compute_alpha(far))


def test_each_direction_of_a_sentence_is_paired_once():
    for gold in (set(), {"open"}, {"open", "closed"}, {"narrowing", "open", "widening"}):
        for coded in (set(), {"open"}, {"widening", "narrowing"}):
            counts = count_pairs(pair_directions(gold, coded))

            assert counts[:4].sum() == len(gold)
            assert counts[:, :4].sum() == len(coded)
            assert np.trace(counts[:4, :4]) == len(gold & coded)


def test_an_interval_is_the_same_each_time_and_wider_for_fewer_talks():
    few = np.array([[9.0, 1], [1, 9], [9, 1], [1, 9]])
    many = np.tile(few, (25, 1))

    spans = [bootstrap(each, lambda total: total[0] / total.sum()) for each in (few, many)]

    assert spans[0] == bootstrap(few, lambda total: total[0] / total.sum())
    assert spans[0][1] - spans[0][0] > spans[1][1] - spans[1][0] > 0


def test_the_confusion_matrix_adds_up_to_the_scorers_rows(audit):
    matrix = audit.confusion.pivot(index="gold", columns="coded", values="sentences")
    rows = audit.rows.set_index("row")

    for name in DIRECTIONS:
        hits = matrix.loc[name, name]
        assert matrix.loc[name].sum() == rows.loc[name, "n"]
        assert hits / matrix.loc[name].sum() == pytest.approx(rows.loc[name, "recall"], abs=1e-4)
        assert hits / matrix[name].sum() == pytest.approx(rows.loc[name, "precision"], abs=1e-4)


def test_the_rows_are_what_the_sets_own_scorer_printed(audit):
    figures = json.loads(SCORES.read_text(encoding="utf-8"))["figures"]
    rows = audit.rows.set_index("row")
    values = rows["f1"].fillna(rows["recall"])

    assert set(rows.index) == set(figures) - {"low", "high"}
    for name in rows.index:
        assert values[name] == pytest.approx(figures[name], abs=1e-4)
        assert rows.loc[name, "low"] <= values[name] <= rows.loc[name, "high"]


def test_the_tenths_of_every_direction_hold_the_same_sentences(audit):
    sentences = audit.reliability.groupby("direction")["sentences"].sum()

    assert sentences.nunique() == 1
    assert sentences.iloc[0] <= audit.scores["sentences"]


def test_alphas_lie_in_their_intervals_and_agree_with_the_confusion_matrix(audit):
    matrix = audit.confusion.pivot(index="gold", columns="coded", values="sentences")
    matrix = matrix.loc[DIRECTIONS, DIRECTIONS].to_numpy(float)
    alphas = audit.agreement.set_index("scale")["alpha"]

    assert (audit.agreement["low"] <= audit.agreement["alpha"]).all()
    assert (audit.agreement["alpha"] <= audit.agreement["high"]).all()
    own = compute_alpha(matrix + matrix.T, is_ordinal=True)
    assert alphas["ordinal"] == pytest.approx(own, abs=1e-4)


def test_every_error_that_was_read_is_counted_under_a_described_kind(audit):
    read = read_table(SCORES.with_name("errors.csv"), "read_errors")
    kinds = read_table(SCORES.with_name("error_kinds.csv"), "error_kinds")
    counted = audit.errors.set_index(["error", "kind"])["read"]

    assert set(zip(read["error"], read["kind"], strict=True)) <= set(
        zip(kinds["error"], kinds["kind"], strict=True)
    )
    assert counted[counted > 0].to_dict() == read.groupby(["error", "kind"]).size().to_dict()
    assert (audit.errors["standing"] <= audit.errors["read"]).all()


def test_what_is_kept_of_an_error_has_no_text():
    header, *lines = SCORES.with_name("errors.csv").read_text(encoding="utf-8").splitlines()

    assert header == "sha256,sentence,error,kind,read_on,read_by"
    for line in lines:
        assert re.fullmatch(r"[0-9a-f]{64},\d+,(miss|false alarm),[a-z_]+,\d{4}-\d\d-\d\d,.+", line)
    assert {line.rsplit(",", 1)[1] for line in lines} == {tradegap.open_audit().readers}


def test_the_audit_command_prints_every_row_and_where_it_comes_from(audit, capsys):
    cli.main(["audit"])

    printed = capsys.readouterr().out
    assert sum_up(audit) in printed
    for row in audit.rows.itertuples():
        assert re.search(rf"(?m)^{re.escape(row.row)} .*\b{row.n}\b", printed), row.row
    assert audit.scores["gold_sha256"] in printed
    assert not re.search(r"\bnan\b", printed, flags=re.IGNORECASE)


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda path: path.unlink(), "no such file"),
        (lambda path: path.write_text("{", encoding="utf-8"), "cannot be read"),
        (lambda path: path.write_bytes(b"\xff\xfe{}"), "cannot be read"),
        (lambda path: path.write_text("[]", encoding="utf-8"), "found no keys"),
        (lambda path: change(path, rows=[]), "'rows' holds no rows"),
        (lambda path: change(path, confusion=3), "'confusion' holds no rows"),
        (lambda path: change(path, scored_on="soon"), "'scored_on' found 'soon'; it takes a date"),
        (lambda path: change(path, gold_sha256=None), "'gold_sha256' is empty; it is required"),
        (lambda path: change_row(path, "rows", f1=1.7), "row 1: 'f1' found '1.7'; it takes 0 to 1"),
        (lambda path: change_row(path, "confusion", gold="up"), "'gold' found 'up'; it takes one"),
        (lambda path: change_row(path, "agreement", alpha="high"), "it takes a number"),
        (lambda path: change_row(path, "rows", row="open"), "the key ['row'] repeats"),
    ],
)
def test_scores_that_do_not_stand_are_refused_in_one_line(broken, capsys, spoil, fault):
    spoil(broken)

    with pytest.raises(SystemExit) as end:
        cli.main(["audit"])

    out, err = capsys.readouterr()
    assert (end.value.code, out) == (1, "")
    assert len(err.splitlines()) == 1
    assert "scores.json" in err
    assert fault in err
    assert "make train" in err


def test_a_kind_of_error_that_nobody_described_is_refused(broken):
    kinds = broken.with_name("error_kinds.csv")
    lines = kinds.read_text(encoding="utf-8").splitlines(keepends=True)
    kinds.write_text("".join(line for line in lines if ",background," not in line))

    with pytest.raises(tradegap.DataError, match="no row for the kind background"):
        tradegap.open_audit()


def change(path, **values):
    content = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps(content | values), encoding="utf-8")


def change_row(path, key, **values):
    rows = json.loads(path.read_text(encoding="utf-8"))[key]
    change(path, **{key: [rows[0] | values, *rows[1:]]})


def test_a_coder_without_scores_is_refused_with_the_one_that_has_them():
    with pytest.raises(tradegap.DataError, match="coder: found 'ann'; only cues"):
        tradegap.open_audit("ann")


def test_the_published_page_shows_the_figures_of_the_file(audit):
    page = (ROOT / "reports" / "audit" / "coder.html").read_text(encoding="utf-8")
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))

    assert sum_up(audit) in words
    assert audit.scores["gold_sha256"] in words
    for row in audit.rows.itertuples():
        assert f"{row.low:.2f}–{row.high:.2f}" in words
    for row in audit.agreement.itertuples():
        assert f"{row.what} {row.scale} {row.alpha:.2f} {row.low:.2f}–{row.high:.2f}" in words
    for row in audit.confusion.itertuples():
        assert f"{row.coded} {row.sentences}" in page
    for row in audit.errors.itertuples():
        assert row.example in html.unescape(page)


def test_the_published_figures_are_those_of_the_file(audit):
    figures = pd.read_csv(ROOT / "reports" / "audit" / "coder.csv")

    pairs = figures[figures["table"] == "confusion"]
    assert pairs["value"].tolist() == audit.confusion["sentences"].tolist()
    scored = figures[(figures["table"] == "scores") & (figures["measure"] == "f1")]
    rows = audit.rows.dropna(subset="f1")
    assert scored.set_index("of")["value"].to_dict() == rows.set_index("row")["f1"].to_dict()
    assert scored["low"].notna().all()


def test_the_charts_of_the_audit_say_in_words_what_they_show(audit):
    confusion = figure(tradegap.chart_confusion(audit).to_dict())
    curve = figure(tradegap.chart_reliability(audit).to_dict())

    hits = audit.confusion.query("gold == 'closed' and coded == 'closed'")["sentences"].item()
    assert f"closed {hits}, narrowing" in re.search(r'<svg [^>]*aria-label="([^"]+)"', confusion)[1]
    assert "Any direction: at most" in curve
    assert all(
        f"<title>said {row.mean_chance:.2f}" in curve for row in audit.reliability.itertuples()
    )


def test_a_negotiations_page_leads_to_the_audit():
    for page in (ROOT / "reports" / "gap_evolution").glob("*.html"):
        assert 'href="../audit/coder.html"' in page.read_text(encoding="utf-8")


def test_the_terminal_and_the_page_open_with_the_same_sentence(audit):
    assert render_audit(audit).startswith(sum_up(audit))
    assert sum_up(audit) in tradegap.state_reliability(audit).html
