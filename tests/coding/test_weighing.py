"""What is weighed by number is what is weighed by name."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradegap.coding.cues import DIRECTIONS, read_rows, read_weights
from tradegap.coding.weighing import read_model
from tradegap.coding.wording import show_wording


@cache
def words() -> list[str]:
    """Return words of the weighed signs, with marks that are none."""
    signs = [row["sign"] for row in read_rows("weights.csv") if row["sign"][0] == "“"]
    return sorted({word for sign in signs[::40] for word in sign[1:-1].split()} | set("…,;?.a7@"))


SENTENCES = st.lists(
    st.lists(st.sampled_from(words()), max_size=25).map(lambda each: f" {' '.join(each)} "),
    min_size=1,
    max_size=4,
)


@given(SENTENCES)
@settings(deadline=None, max_examples=300)
def test_the_evidence_is_the_sum_of_the_weights_of_all_signs(marked: list[str]) -> None:
    weights, context = read_weights(), {"always": 1.0, "talk of trade in the document": 0.25}

    evidence = read_model().weigh([context] * len(marked), marked)

    for number, sentence in enumerate(marked):
        shown = context | show_wording(sentence)
        for at, direction in enumerate(DIRECTIONS):
            amounts = {n: much * weights[n][at] for n, much in shown.items() if n in weights}
            assert evidence.sums[number][direction] == pytest.approx(sum(amounts.values()))
            told = {each.rpartition(" ")[0] for each in evidence.explain(number, direction)}
            strong = {name for name, amount in amounts.items() if abs(amount) >= 0.1}
            assert told == strong or (len(told) == 16 and told < strong)


def test_no_sentence_weighs_nothing() -> None:
    assert read_model().weigh([], []).sums == []
