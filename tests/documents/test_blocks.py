"""Promises of the first stage about what is the article's own and what is furniture."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradegap.documents import read_documents
from tradegap.documents.blocks import cue_rows, mark, paragraphs

SEARCHED = ("caption cue", "address", "attribution")
PROSE = (
    "The envoys of Freedonia and Sylvania said on Monday that they had not settled how many tons "
    "of rice may cross the river each year without a duty."
)
MORE_PROSE = (
    "Freedonia wants the quota lifted within three years, and Sylvania told reporters that its "
    "farmers would need twice as long to adapt."
)


def kinds(text: str, **options: bool) -> list[tuple[str, str]]:
    """Return one (kind, first words) per block."""
    blocks = mark(text, paragraphs(text), **options)
    return [(block.kind, text[block.start : block.end][:30]) for block in blocks]


@pytest.mark.parametrize(("kind", "pattern", "example"), cue_rows())
def test_each_cue_finds_its_own_example(kind: str, pattern: str, example: str) -> None:
    cue = re.compile(pattern, re.IGNORECASE)

    found = cue.search(example) if kind in SEARCHED else cue.fullmatch(example)

    assert found


@pytest.mark.parametrize(
    "sentence",
    [
        "Copyright remains a sticking point, negotiators said.",
        "Copyright rules divide the two sides",
        "Published in 2018, the plan was dropped.",
        "(c) The Parties shall lower duties on rice.",
        "The meeting closed. Comments by the minister showed that gaps remain.",
        "Prime Minister Example contributed to the progress of the talks.",
        "Reporting by the parties of farm subsidies remains a sticking point.",
        "More talks are due on Monday.",
        "12 issues remain open",
        "Talks ended without a deal, the minister said. AFP/Reuters",
        "Share of rice imports is still disputed",
        "“No deal,” he said.",
        "By Monday the two sides must agree.",
        "Follow-up talks on cars failed.",
        "To reach a deal both sides must give way on rice.",
        "The two sides agree on cars",
        "Trade talks between the neighbours stall",
        "Accept the quota or leave the table, he told them.",
        "May 4, 2018, was the day on which the talks failed.",
        "Support for a deal is fading",
        "Correcting the imbalance is what divides them",
        "The envoy speaks of a gap, he said in the capital. (Kyodo)",
        "Read the text closely, he said, and there is no deal.",
        "Discussion of cars stalled",
        "Related sectors such as steel are blocked.",
    ],
)
def test_a_sentence_that_only_resembles_furniture_stays(sentence: str) -> None:
    text = f"Title of the story\n\n{PROSE}\n\n{MORE_PROSE}\n\n{sentence}\n\n{PROSE}"

    found = kinds(text)

    assert [kind for kind, _ in found] in (
        ["title", "text", "text", "text", "text"],
        ["title", "text", "text", "list", "text"],
    )


def test_a_comment_section_runs_to_the_end() -> None:
    text = "\n\n".join(
        [
            *("Rice talks stall", PROSE, MORE_PROSE),
            "Comments (17)",
            "Please be kind. We want you to feel at home here and to speak freely about it all.",
            "  • Stay on topic",
            "river_rat",
            "This deal is dead, as I have always told you. They will never settle the rice quota.",
        ]
    )

    found = kinds(text)

    assert [kind for kind, _ in found] == ["title", "text", "text", *["boilerplate"] * 5]


def test_an_article_that_goes_on_after_a_comment_box_is_kept() -> None:
    text = "\n\n".join(
        [
            "Rice talks stall",
            PROSE,
            MORE_PROSE,
            "Report an error",
            MORE_PROSE,
            PROSE,
            "“No,” she said.",
        ]
    )

    found = kinds(text)

    assert [kind for kind, _ in found][3:] == ["boilerplate", "text", "text", "text"]


def test_a_comments_link_above_the_article_hides_nothing() -> None:
    text = "\n\n".join(["Comments", "Rice talks stall at the river", PROSE, MORE_PROSE])

    found = kinds(text)

    assert [kind for kind, _ in found] == ["boilerplate", "title", "text", "text"]


def test_links_to_other_stories_end_where_prose_resumes() -> None:
    text = "\n\n".join(
        [
            *("Rice talks stall", PROSE, "Related stories", "Gap widens on cars"),
            *("Deal near on timber", "“No deal,” he said.", MORE_PROSE),
        ]
    )

    found = kinds(text)

    assert [kind for kind, _ in found][2:] == [*["boilerplate"] * 3, "text", "text"]


def test_a_credit_line_makes_the_line_before_it_a_caption() -> None:
    text = f"The envoy speaks to reporters in the capital.\n\nANN EXAMPLE/Reuters\n\n{PROSE}"

    found = kinds(text)

    assert [kind for kind, _ in found] == ["caption", "caption", "text"]


@pytest.mark.parametrize(
    "caption",
    [
        "FILE PHOTO: Containers stand on a quay. REUTERS/Ann Example/File Photo",
        "The envoy arrives at the ministry on May 4. | KYODO",
        "The envoy arrives at the ministry. (AP Photo/Ann Example)",
        "Containers on a quay in the river harbour. ANN EXAMPLE/AFP",
    ],
)
def test_a_line_that_ends_in_a_credit_is_a_caption(caption: str) -> None:
    found = kinds(f"Rice talks stall\n\n{PROSE}\n\n{caption}\n\n{MORE_PROSE}")

    assert [kind for kind, _ in found] == ["title", "text", "caption", "text"]


def test_a_credit_line_after_prose_leaves_the_prose() -> None:
    text = f"Rice talks stall\n\n{PROSE}\n\nANN EXAMPLE/Reuters\n\n{MORE_PROSE}"

    found = kinds(text)

    assert [kind for kind, _ in found] == ["title", "text", "caption", "text"]


def test_furniture_is_never_the_title() -> None:
    text = f"Skip to main content\n\n{PROSE}\n\n{MORE_PROSE}"

    found = kinds(text)

    assert [kind for kind, _ in found] == ["boilerplate", "text", "text"]


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        ("RICE TALKS STALL OVER QUOTA WITH U.S.", "title"),
        ("Trade truce?", "title"),
        ("The envoys met on Monday and parted.", "text"),
        ("x" * 250, "text"),
    ],
)
def test_a_first_line_is_the_title_only_if_it_looks_like_one(first: str, kind: str) -> None:
    found = kinds(f"{first}\n\n{PROSE}")

    assert found[0][0] == kind


def test_one_line_alone_is_text_and_not_a_title() -> None:
    assert kinds("Rice talks stall") == [("text", "Rice talks stall")]


@pytest.mark.parametrize("bullet", ["•", "-", "*", "–", "1.", "2)", "(3)", "a)", "--"])
def test_bullets_and_numbers_make_a_list(bullet: str) -> None:
    found = kinds(f"{PROSE}\n\n{bullet} Rice is open.", may_have_title=False)

    assert [kind for kind, _ in found] == ["text", "list"]


def test_a_sentence_wrapped_at_a_fixed_width_is_one_block() -> None:
    text = (
        "The envoys of Freedonia and Sylvania said on Monday that they had\n"
        "not settled how many tons of rice may cross the river each year,\n"
        "and that they would meet again.\n"
        "\n"
        "Then they went home.\n"
    )

    spans = paragraphs(text)

    assert [text[a:b].count("\n") for a, b in spans] == [2, 0]


def test_a_line_of_a_text_with_long_lines_is_a_paragraph() -> None:
    text = f"Rice talks stall\n{PROSE}\n{MORE_PROSE}\n"

    assert [text[a:b] for a, b in paragraphs(text)] == text.strip().split("\n")


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=400))
def test_blocks_are_in_order_apart_and_inside_the_text(text: str) -> None:
    blocks = mark(text, paragraphs(text))

    edges = [edge for block in blocks for edge in (block.start, block.end)]
    assert edges == sorted(edges)
    assert all(block.start < block.end for block in blocks)
    assert not edges or (edges[0] >= 0 and edges[-1] <= len(text))
    covered = "".join(text[block.start : block.end] for block in blocks)
    assert "".join(covered.split()) == "".join(text.strip("\ufeff\u200b").split()) or any(
        sign in text for sign in "\ufeff\u200b"
    )


def test_of_the_starting_story_the_article_is_left_and_nothing_else(shared: Path) -> None:
    path = shared / "seeds" / "globe-and-mail-2019-08-21.txt"

    (document,), refused = read_documents([path])

    own = [document.text[b.start : b.end] for b in document.blocks if b.kind == "text"]
    assert refused == []
    assert document.text == path.read_text(encoding="utf-8")
    assert document.title == ""
    assert len(own) == 10
    assert own[0].startswith("Japanese Economy Minister")
    assert own[-1].startswith("They will meet again on Thursday")
    assert Counter(b.kind for b in document.blocks)["caption"] == 2


def test_no_sentence_that_carries_a_gold_signal_is_furniture(shared: Path) -> None:
    gold = shared / "gold"
    lost = []
    seen = 0

    for name in ("dev.jsonl", "dev2.jsonl", "dev3.jsonl"):
        for line in (gold / name).read_text(encoding="utf-8").splitlines():
            coded = json.loads(line)
            (document,), _ = read_documents([gold / coded["file"]], published=coded["pub_date"])
            for signal in coded["signals"]:
                seen += 1
                lost += [
                    (coded["doc_id"], signal["text"])
                    for block in document.blocks
                    if block.kind in ("boilerplate", "caption")
                    and block.start < signal["end"]
                    and signal["start"] < block.end
                ]

    assert seen > 1500
    assert lost == []
