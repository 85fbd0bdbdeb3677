"""The tutorial, run as it stands, on articles that are made up here; and `tradegap new`."""

from __future__ import annotations

import glob
import re
import shlex
import shutil
from pathlib import Path

import pytest

import tradegap
from tradegap import cli
from tradegap.errors import DataError
from tradegap.new import begin_talks
from tradegap.specs import read_specs
from tradegap.talks import read_negotiation
from tradegap.verify import check_inputs

ROOT = Path(__file__).resolve().parents[1]
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
ARTICLES = {
    "2026-01-20-opening.txt": "The United Kingdom and Norway remain far apart on fishing quotas,"
    " the Norwegian minister said on Tuesday.\n",
    "2026-02-03-minister.txt": "Britain and Norway have narrowed their differences on electricity,"
    " the British minister said.\n\nThey are still divided over fish, she added.\n",
    "2026-02-20-agency.txt": "Norway and the United Kingdom reached an agreement on electricity on"
    " Friday, officials of both said.\n",
}


def run(line: str) -> None:
    """Run a line of the tutorial as a shell would, in this process, which has all imported."""
    program, *words = shlex.split(line)
    found = [sorted(glob.glob(word)) or [word] for word in words]
    assert program == "tradegap"
    # A command that goes wrong ends in SystemExit, which fails the test.
    cli.main([word for each in found for word in each])


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A clone's worth of files without a negotiation, as the working directory."""
    root = tmp_path / "clone"
    (root / "data" / "talks").mkdir(parents=True)
    for name in ("issues.csv", "parties.csv"):
        shutil.copy(ROOT / "data" / name, root / "data" / name)
    shutil.copytree(ROOT / "data" / "trade", root / "data" / "trade")
    (root / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / "gap_evolution.ipynb", root / "notebooks")
    (root / "reports" / "gap_evolution").mkdir(parents=True)
    shutil.copy(ROOT / "reports" / "gap_evolution" / "each.yml", root / "reports/gap_evolution")
    monkeypatch.setenv("TRADEGAP_ROOT", str(root))
    monkeypatch.chdir(root)
    return root


def test_the_tutorial_runs_as_it_stands_and_ends_in_a_page(project, capsys):
    (project / "articles").mkdir()
    for name, text in ARTICLES.items():
        (project / "articles" / name).write_text(text, encoding="utf-8")
    blocks = BLOCK.findall((ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8"))

    names: dict[str, object] = {}
    outputs = []
    for kind, text in blocks:
        if kind == "python":
            exec(text, names)
        for line in text.splitlines() if kind == "sh" else []:
            run(line)
            outputs.append(capsys.readouterr().out)

    page = (project / "reports" / "gap_evolution" / "uk-norway-2026.html").read_text("utf-8")
    assert "never built gap_evolution/uk-norway-2026" in outputs[1]
    assert outputs[2].count("added private/") == len(ARTICLES)
    assert "narrowing" in outputs[3]
    assert "every one was checked by a person" in page
    assert "1 corrected" in page
    assert "sound" in outputs[-1]


def test_a_new_folder_stands_by_its_schema_has_a_page_and_says_what_goes_where(project, capsys):
    run('tradegap new three-2026 --parties Canada "mexico city" US --issues autos,ip')

    negotiation = read_negotiation("three-2026")
    folder = project / "data" / "talks" / "three-2026"
    told = (folder / "README.md").read_text(encoding="utf-8")
    assert negotiation.parties == ("Canada", "Mexico", "US")
    assert negotiation.issues["issue_id"].tolist() == ["overall", "autos", "ip"]
    assert check_inputs(project) == []
    assert [spec.page for spec in read_specs(project)] == ["gap_evolution/three-2026"]
    assert "data/talks/three-2026: begun" in capsys.readouterr().out
    for column in ("`held_on`", "`outcome`", "`stance`", "`milestone_id`", "source_url"):
        assert column in told


REFUSED = [
    (("US-Japan", ["Japan", "US"]), "SLUG: found 'US-Japan'; it takes small letters"),
    (("../up", ["Japan", "US"]), "SLUG: found '../up'"),
    (("a-2026", ["Japan", "Atlantis"]), "--parties: found 'Atlantis'; add a row for it"),
    (("a-2026", ["Japn", "US"]), "--parties: found 'Japn'; did you mean 'Japan'?"),
    (("a-2026", ["Japan", "Tokyo"]), "--parties: found Japan, Japan; it takes two or more"),
    (("a-2026", []), "--parties: found none; it takes two or more"),
    (("a-2026", ["Japan", "US"], ["motors"]), "--issues: found 'motors'; data/issues.csv has"),
]


@pytest.mark.parametrize(("asked", "message"), REFUSED)
def test_what_cannot_be_begun_is_refused_in_a_line_and_leaves_nothing(project, asked, message):
    with pytest.raises(DataError) as refusal:
        begin_talks(*asked[:2], issues=asked[2] if len(asked) > 2 else ())

    assert len(refusal.value.faults) == 1
    assert str(refusal.value).startswith(message)
    assert list((project / "data" / "talks").iterdir()) == []


def test_a_folder_that_is_there_is_never_overwritten_whatever_its_case(project):
    begin_talks("fish-2026", ["Norway", "UK"])
    (project / "data" / "talks" / "fish-2026").rename(project / "data" / "talks" / "Fish-2026")
    before = (project / "data" / "talks" / "Fish-2026" / "negotiation.yml").read_bytes()

    with pytest.raises(DataError, match="data/talks/Fish-2026: is there already and stays"):
        begin_talks("fish-2026", ["Japan", "US"])

    after = (project / "data" / "talks" / "Fish-2026" / "negotiation.yml").read_bytes()
    assert after == before


def test_a_page_of_nothing_yet_says_so(project):
    begin_talks("fish-2026", ["Norway", "UK"])

    record = tradegap.open_record("fish-2026")

    said = "Nothing of the talks between Norway and the UK is on record yet."
    assert said in tradegap.state_answer(record).html
