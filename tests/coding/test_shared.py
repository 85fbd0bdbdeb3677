"""What is checked against the folder beside the repository: the starting story, the gold sets."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from tradegap.coding import code_document
from tradegap.coding.score import run_score
from tradegap.documents import read_documents

SHARED = Path(__file__).resolve().parents[3] / "shared"


@pytest.fixture(scope="module")
def story() -> pd.DataFrame:
    path = SHARED / "seeds" / "globe-and-mail-2019-08-21.txt"
    if not path.is_file():
        if os.environ.get("TRADEGAP_CI") == "1":
            pytest.fail("the starting story is not beside the repository")
        pytest.skip("the starting story is not beside the repository")
    documents, refused = read_documents([path], published="2019-08-21")
    assert not refused
    return code_document(documents[0])


def at(story: pd.DataFrame, words: str) -> pd.DataFrame:
    """Return the signals of the sentence that has these words."""
    return story[story["text"].str.contains(words, regex=False)]


def test_the_gap_is_open_as_the_minister_says(story: pd.DataFrame) -> None:
    signals = at(story, "said on Wednesday")

    assert signals[["direction", "issues", "speaker", "party", "pace_text"]].values.tolist() == [
        ["open", "overall", "Toshimitsu Motegi", "Japan", "very tough"]
    ]


def test_a_hope_to_narrow_is_open_on_farm_goods_and_cars(story: pd.DataFrame) -> None:
    signals = at(story, "hope to")

    assert signals[["direction", "issues"]].values.tolist() == [["open", "agriculture;autos"]]


def test_what_narrowed_and_deepened_is_narrowing(story: pd.DataFrame) -> None:
    signals = pd.concat([at(story, "narrowed down"), at(story, "deepening")])

    assert set(signals["direction"]) == {"narrowing"}
    assert set(signals["speaker"]) == {"Toshimitsu Motegi"}
    assert set(signals["issues"]) == {"overall"}


def test_an_agreement_to_speed_up_is_a_faster_pace(story: pd.DataFrame) -> None:
    assert set(at(story, "speed up")["pace"]) == {"accelerating"}


def test_car_parts_and_industrial_goods_are_open(story: pd.DataFrame) -> None:
    signals = at(story, "on the other hand")

    assert signals[["direction", "issues", "talks"]].values.tolist() == [
        ["open", "auto_parts;industrial_goods", "Japan;US"]
    ]


def test_the_talks_that_stalled_are_those_with_china_and_the_eu(story: pd.DataFrame) -> None:
    signals = at(story, "little")

    assert signals[["direction", "pace", "talks"]].values.tolist() == [
        ["open", "stalled", "China;US"],
        ["open", "stalled", "EU;US"],
    ]


def test_what_lies_ahead_has_its_days(story: pd.DataFrame) -> None:
    assert set(at(story, "meet again")["forward_date"]) == {"2019-08-22"}
    assert set(at(story, "sidelines")["forward_date"]) == {"2019-08-24"}
    assert set(at(story, "timetable")["forward_date"]) == {""}
    assert (at(story, "timetable")["forward_text"] != "").all()


def test_nothing_comes_from_what_is_not_the_story(story: pd.DataFrame) -> None:
    assert story["end"].max() < 2800
    assert story["start"].min() > 130


def test_a_folder_without_gold_sets_gives_one_clear_line(tmp_path: Path) -> None:
    lines = run_score(tmp_path).splitlines()

    assert len(lines) == 1
    assert "no gold set" in lines[0]
