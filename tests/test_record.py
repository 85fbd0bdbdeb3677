from datetime import date

import pandas as pd
import pytest

import tradegap
from tradegap.record import match_talks

STORIES = [
    (["Canada;Mexico;US"], date(2018, 3, 5), "nafta-2017"),
    (["Canada;US"], date(2018, 9, 6), "nafta-2017"),
    (["Mexico;US", "China;US", "China;US"], date(2018, 9, 6), "us-china-2018"),
    (["Canada;US", "Canada;US", "China;US"], date(2018, 9, 6), "us-china-2018"),
    (["Canada;US"], date(2016, 9, 6), ""),
    (["US"], date(2018, 9, 6), ""),
    ([""], date(2018, 9, 6), ""),
    (["Canada;EU"], date(2018, 9, 6), ""),
]


@pytest.mark.parametrize(("talks", "on", "slug"), STORIES)
def test_a_story_finds_its_own_talks_first_and_those_of_three_parties_next(talks, on, slug):
    assert match_talks(pd.DataFrame({"talks": talks}), on) == slug


def test_talks_of_three_parties_are_measured_like_those_of_two():
    record = tradegap.open_record("nafta-2017", as_of="2018-10-02", documents="notes")

    reading = record.gaps[record.gaps["view"] == "then"].set_index(["issue_id", "on"])["gap"]

    assert record.negotiation.parties == ("Canada", "Mexico", "US")
    assert set(record.negotiation.positions["party"]) == {"Canada", "Mexico", "US"}
    assert reading["autos", pd.Timestamp("2017-08-16")] > 0.8
    assert reading["autos", pd.Timestamp("2018-10-02")] < 0.1
