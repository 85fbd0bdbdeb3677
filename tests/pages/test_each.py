"""One spec for each of many: negotiations, main rounds, issues."""

from __future__ import annotations

from pathlib import Path

import pytest

from tradegap.each import list_each
from tradegap.errors import SpecError
from tradegap.specs import check_specs, read_specs

ROOT = Path(__file__).parents[2]
EACH = """for_each: negotiations
page: "{talks}"
title: "{title}"
question: How far apart {were} {parties} {when}, and {ended}?
parameters:
  word: "{talks}"
"""
HEAD = """title: {title}
parties: [{parties}]
opened_on: 2018-04-01
"""
ROUND = "{id},Round {id},2018-0{month}-03,2018-0{month}-04,Oslo,{level},,{result},https://a.example,high\n"


def add_talks(shelf, slug, *, title="Fish and chips", parties="Iceland, EU", end="", issues=()):
    folder = shelf.root / "data" / "talks" / slug
    (folder / "notes").mkdir(parents=True)
    head = HEAD.format(title=title, parties=parties) + end
    (folder / "negotiation.yml").write_text(head, encoding="utf-8")
    rows = "".join(f"{each},3,,,,,\n" for each in ("overall", *issues))
    (folder / "issues.csv").write_text(f"issue_id,salience,outcome,x,y,z,u\n{rows}")
    return folder


def test_adding_a_folder_adds_its_page_with_words_that_fit_its_talks(shelf):
    shelf.write("tiny/each", EACH)
    add_talks(
        shelf, "fish", parties="Canada, Mexico, US", end="ended_on: 2019-02-01\noutcome: agreed"
    )
    add_talks(shelf, "chips", title="Chips")

    specs = read_specs(shelf.root)
    check_specs(specs)

    assert [(spec.page, spec.title, spec.question) for spec in specs] == [
        (
            "tiny/chips",
            "Chips",
            "How far apart are Iceland and the EU now, and is the gap closing?",
        ),
        (
            "tiny/fish",
            "Fish and chips",
            "How far apart were Canada, Mexico and the US from 2018 to 2019, and how did it end?",
        ),
    ]
    assert [dict(spec.parameters) for spec in specs] == [{"word": "chips"}, {"word": "fish"}]


def test_a_spec_of_its_own_takes_the_place_of_a_generated_page(shelf):
    shelf.write("tiny/each", EACH)
    shelf.write("tiny/fish", word="beef")
    add_talks(shelf, "fish")

    (spec,) = read_specs(shelf.root)

    assert spec.parameters == {"word": "beef"}
    assert spec.source == "reports/tiny/fish.yml"


def test_a_generated_page_is_built_is_current_and_says_which_spec_made_it(shelf):
    shelf.write("tiny/each", EACH)
    add_talks(shelf, "fish")

    first, again = shelf.build(), shelf.build()

    assert first["tiny/fish"].status == "built", first
    assert again["tiny/fish"].status == "current"
    assert "reports/tiny/each.yml" in shelf.read("tiny/fish.html").split("<footer")[1]
    assert '"reports/tiny/each.yml"' in shelf.read("tiny/fish.json")


def test_a_main_round_is_high_up_has_a_result_and_is_written_about(shelf):
    folder = add_talks(shelf, "fish")
    head = "round_id,round,held_on,ended_on,venue,level,people,result,source_url,confidence\n"
    rounds = [
        ("a", 1, "ministers", "Talks", 2),
        ("b", 2, "working level", "Talks", 3),
        ("c", 3, "ministers", "", 3),
        ("d", 4, "leaders", "Talks", 3),
        ("e", 5, "leaders", "Talks", 1),
        ("f", 6, "ministers", "Talks", 3),
    ]
    text = head
    for code, month, level, result, notes in rounds:
        text += ROUND.format(id=code, month=month, level=level, result=result)
        for day in range(3, 3 + notes):
            (folder / "notes" / f"2018-0{month}-0{day}-x.md").write_text("x")
    (folder / "rounds.csv").write_text(text, encoding="utf-8")

    rows = list_each("main rounds", shelf.root)

    assert [(row["round_id"], row["days"]) for row in rows] == [
        ("d", "3–4 April 2018"),
        ("f", "3–4 June 2018"),
    ]


def test_an_issue_has_a_page_from_three_negotiations_on(shelf):
    codes = "issue_id,issue,definition\noverall,Overall,x\nautos,Autos,x\nfisheries,Fisheries,x\n"
    (shelf.root / "data" / "issues.csv").write_text(codes)
    for slug, issues in (("a", ["autos"]), ("b", ["autos", "fisheries"]), ("c", ["autos"])):
        add_talks(shelf, slug, issues=issues)

    rows = list_each("issues", shelf.root)

    assert rows == [{"issue_id": "autos", "issue": "Autos", "count": "3"}]


BROKEN = [
    ("negotiations", "sides", "for_each is 'sides'; it takes one of negotiations, main rounds"),
    ("negotiations", "[a]", r"for_each is \['a'\]"),
    ('page: "{talks}"\n', "", "page is None; with for_each it names the pages"),
    ('page: "{talks}"', "page: A b", "page is 'A b'"),
    ('page: "{talks}"', 'page: "{title}"', "page gives 'Fish and chips' for fish"),
    ('page: "{talks}"', "page: all", "page gives tiny/all, which reports/tiny/each.yml gives"),
    ("{were}", "{where}", r"question has no word \{where\} to put in; .* there are \{talks\}"),
    ("{were}", "{were!r}", r"question has no word \{were\}"),
    ("{were}", "{were", "question is no template"),
    ('word: "{talks}"', 'word: "{issue}"', r"parameters has no word \{issue\}"),
    ("for_each: negotiations\n", "", "page goes with for_each only"),
    ("  word:", "  wort:", "tiny.ipynb has no parameter 'wort'"),
]


@pytest.mark.parametrize(("old", "new", "message"), BROKEN)
def test_a_broken_spec_for_each_is_refused_once_before_anything_starts(shelf, old, new, message):
    assert old in EACH
    shelf.write("tiny/each", EACH.replace(old, new))
    add_talks(shelf, "fish")
    add_talks(shelf, "more-fish")

    with pytest.raises(SpecError, match=message) as refusal:
        check_specs(read_specs(shelf.root))

    assert all(fault.startswith("reports/tiny/each.yml: ") for fault in refusal.value.faults)
    assert len(refusal.value.faults) == 1 + ("{title}" in new)


def test_two_folders_whose_names_differ_in_case_alone_are_refused_by_name(shelf):
    shelf.write("tiny/each", EACH)
    add_talks(shelf, "fish")
    add_talks(shelf, "Fish")

    with pytest.raises(SpecError, match="page gives 'Fish' for Fish; a page's name takes small"):
        read_specs(shelf.root)


def test_a_folder_that_cannot_be_read_keeps_its_page_and_stops_no_other(shelf):
    shelf.write("tiny/each", EACH)
    add_talks(shelf, "good")
    (add_talks(shelf, "bad") / "negotiation.yml").write_text("title: [\n")

    specs = read_specs(shelf.root)

    assert [spec.page for spec in specs] == ["tiny/bad", "tiny/good"]


def test_every_published_negotiation_has_a_page_and_most_have_a_main_round():
    specs = read_specs(ROOT)
    talks = {path.parent.name for path in (ROOT / "data" / "talks").glob("*/negotiation.yml")}

    pages = {spec.page for spec in specs}

    assert {f"gap_evolution/{slug}" for slug in talks} <= pages
    assert sum(page.startswith("round_brief/") for page in pages) >= len(talks)
