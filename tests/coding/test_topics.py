"""What a sentence is about, and whose talks: sentences of our own, one for each habit of texts."""

from __future__ import annotations

import time

import pytest

from tradegap.coding.cues import compile_pattern, read_rows
from tradegap.coding.evidence import mark_sentences
from tradegap.coding.fit_issues import Case, fit_kinds
from tradegap.coding.issues import KINDS, find_issues, issue_signs
from tradegap.coding.parties import find_mentions
from tradegap.coding.sentences import split_sentences
from tradegap.coding.topics import find_talks
from tradegap.documents import Block
from tradegap.talks import read_parties

CHIPS = (
    "Chile and Peru quarrel over microchips\n\n"
    "Chile and Peru are far apart in their dispute over microchips. "
    "Peru says that Chile broke the chip pact of last year. "
    "Chile will put duties on Peruvian shoes and textiles in retaliation for the broken pact. "
    "There is little hope that the sides will settle in time."
)
COFFEE = (
    "Coffee talks end without a quota accord\n\n"
    "LONDON, March 3 - The International Coffee Organization failed to agree on quotas. "
    "Brazil blamed the other side for the deadlock. "
    "Consumers insist that objective criteria decide on each export share."
)
DEAL = (
    "Chile and Peru far from a trade deal\n\n"
    "Trade talks between Chile and Peru have stalled. "
    "Differences on wine and on dispute settlement remain. "
    "The issue will not be solved soon. "
    "The European Union, a buyer of Peruvian fruit, watches the trade talks. "
    "A trade deal is unlikely this year."
)


def read(text: str) -> tuple[list[str], list[list[str]], list[str], list[list[list[str]]]]:
    """Return the sentences, their issues, the document's talks and those of its sentences."""
    head, _, body = text.partition("\n\n")
    start = len(head) + 2
    blocks = (Block(0, len(head), "title"), Block(start, start + len(body), "text"))
    sentences = split_sentences(text, blocks)
    mentions = find_mentions(text)
    marked = mark_sentences(text, sentences, mentions)
    main, whose = find_talks(sentences, marked, mentions, ())
    return [each.text for each in sentences], find_issues(marked), main, whose


def issues_at(text: str, words: str) -> list[str]:
    sentences, issues, _, _ = read(text)
    return next(i for each, i in zip(sentences, issues, strict=True) if words in each)


def talks_at(text: str, words: str) -> list[list[str]]:
    sentences, _, _, whose = read(text)
    return next(w for each, w in zip(sentences, whose, strict=True) if words in each)


def test_a_general_sentence_of_a_sectoral_dispute_is_on_that_sector() -> None:
    assert issues_at(CHIPS, "little hope") == ["semiconductors"]


def test_goods_that_are_punished_in_a_dispute_over_others_are_not_its_issue() -> None:
    assert issues_at(CHIPS, "shoes and textiles") == ["semiconductors"]


def test_a_general_sentence_of_talks_on_a_trade_deal_is_on_the_whole() -> None:
    assert issues_at(DEAL, "unlikely this year") == ["overall"]
    assert issues_at(DEAL, "have stalled") == ["overall"]


def test_differences_on_named_issues_are_on_those() -> None:
    assert issues_at(DEAL, "Differences on wine") == ["agriculture", "other"]


def test_the_issue_is_the_one_of_the_sentence_before() -> None:
    text = "Deadlock\n\nChile refuses to open its telecoms market. The issue remains unsolved."

    assert "services" in issues_at(text, "remains unsolved")


def test_a_measure_that_is_spoken_of_again_is_on_what_it_was_on_before() -> None:
    text = "Deadlock\n\nChile has put duties on Peruvian steel. Peru is angry at the new duties."

    assert issues_at(text, "is angry") == ["steel_aluminium"]


def test_to_settle_a_dispute_is_no_rule_on_the_settlement_of_disputes() -> None:
    text = "Deadlock\n\nChile hopes to settle its dispute over microchips with Peru."

    assert issues_at(text, "hopes to settle") == ["semiconductors"]


def test_all_of_a_list_is_what_the_sentence_is_on() -> None:
    text = "Deadlock\n\nThe sides are far apart on textiles, fisheries and dispute settlement."

    assert issues_at(text, "far apart") == ["fisheries", "industrial_goods", "other"]


def test_rules_of_a_commodity_agreement_are_other_and_its_failure_is_the_whole() -> None:
    assert issues_at(COFFEE, "objective criteria") == ["other"]
    assert issues_at(COFFEE, "failed to agree") == ["overall"]


def test_a_bargaining_chip_is_no_semiconductor() -> None:
    text = "Fishing talks stall\n\nPeru will not let fishermen be a bargaining chip in the talks."

    assert "semiconductors" not in issues_at(text, "bargaining chip")


def test_to_be_bound_by_the_others_rules_is_the_level_playing_field() -> None:
    text = "Deadlock\n\nChile refuses to be bound by the rules of the bloc."

    assert issues_at(text, "bound by") == ["level_playing_field"]


def test_farm_subsidies_are_on_farm_goods() -> None:
    text = "Deadlock\n\nChile and Peru are deadlocked over subsidies to wheat farmers."

    assert issues_at(text, "subsidies") == ["agriculture"]


def test_talks_with_a_name_have_its_parties_even_if_the_text_names_others() -> None:
    _, _, main, _ = read(COFFEE)

    assert main == ["coffee consumers", "coffee producers"]
    assert talks_at(COFFEE, "Brazil blamed") == [["coffee consumers", "coffee producers"]]


def test_the_place_where_a_story_was_written_is_no_party() -> None:
    text = "Deadlock\n\nLONDON, March 3 - Chile and Peru made no progress. They are far apart."

    assert talks_at(text, "far apart") == [["Chile", "Peru"]]


def test_a_sentence_on_two_others_is_about_their_talks() -> None:
    text = DEAL + " Mexico and Canada are deadlocked as well. Chile sees no progress."

    assert talks_at(text, "deadlocked as well") == [["Canada", "Mexico"]]
    assert talks_at(text, "no progress") == [["Chile", "Peru"]]


def test_a_leader_stands_for_the_party() -> None:
    text = DEAL + " Trump threatened Mexico with higher duties."

    assert talks_at(text, "threatened Mexico") == [["Mexico", "US"]]


def test_moscow_is_the_soviet_union_in_a_text_that_names_it() -> None:
    text = "Trade talks in Moscow\n\nBritain and the Soviet Union set targets. Moscow agreed."

    assert talks_at(text, "agreed") == [["UK", "USSR"]]


@pytest.mark.parametrize("file", ["talks.csv", "leaders.csv"])
def test_talks_and_leaders_find_their_examples_and_have_known_parties(file: str) -> None:
    known = set(read_parties()["party"])

    for row in read_rows(file):
        words = mark_sentences(
            row["example"],
            split_sentences(row["example"], (Block(0, len(row["example"]), "text"),)),
            find_mentions(row["example"]),
        )[0]
        assert compile_pattern(row["pattern"]).search(words), row["example"]
        assert set(row.get("parties", row.get("party")).split(";")) <= known, row


def test_every_sign_of_an_issue_has_a_weight() -> None:
    known = {row["sign"] for row in read_rows("issue_weights.csv")}
    shown = {
        name
        for here in issue_signs([" talks on beef stalled . ", " the row on beef goes on . "])
        for signs in here.values()
        for name in signs
    }

    assert shown <= known


def test_weights_follow_what_the_examples_show() -> None:
    signs = {"overall": {"always": 1.0, "no issue named": 1.0}}
    other = {"overall": {"always": 1.0}}
    cases = [Case(signs, frozenset({"overall"}), "a")] * 30
    cases += [Case(other, frozenset({"energy"}), "b")] * 30

    fitted = fit_kinds(cases)

    assert set(fitted) == set(KINDS)
    assert fitted["overall"]["no issue named"] > 1


def test_issues_and_talks_take_time_in_proportion_to_the_text() -> None:
    words = "the beef row over tariffs on cars and talks with @us including a deal that " * 40

    started = time.perf_counter()
    find_issues([f" {words}"] * 60)

    assert time.perf_counter() - started < 20
