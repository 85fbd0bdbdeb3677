"""What a page shows of real records: the charts, the panels, and what lies behind them."""

import re
import shutil
from pathlib import Path

import altair as alt
import pandas as pd
import pytest
import vl_convert

import tradegap
from tradegap.charts import FONT, figure
from tradegap.panels import stand_sentence
from tradegap.record import read_rounds

ROOT = Path(__file__).resolve().parents[1]
SLUGS = tradegap.list_negotiations()


@pytest.fixture(scope="module", params=SLUGS)
def record(request):
    return tradegap.open_record(request.param, documents="notes")


@pytest.fixture(scope="module")
def japan():
    return tradegap.open_record("us-japan-2019", documents="notes")


def panels_of(record):
    return [
        tradegap.state_answer(record),
        tradegap.list_rounds(record),
        tradegap.list_positions(record),
        tradegap.list_ahead(record, after=record.as_of),
        tradegap.list_evidence(record),
        tradegap.list_sources(record),
        tradegap.state_method(record),
        tradegap.publish_figures(record.gaps),
    ]


@pytest.fixture(scope="module")
def panels(record):
    """What the page of a record says, as one text."""
    return '<h2 id="picture">' + "".join(panel.html for panel in panels_of(record))


@pytest.fixture(scope="module")
def charts(record):
    """The two large charts of a record, as a page shows them."""
    drawn = (tradegap.chart_rounds(record), tradegap.chart_gaps(record))
    return "".join(figure(chart.to_dict()) for chart in drawn)


def test_every_round_has_a_reading_of_every_issue(record):
    cells = read_rounds(record)

    assert len(cells) == (len(record.negotiation.rounds) + 1) * len(record.negotiation.issues)
    assert (cells["gap_low"] <= cells["gap_high"]).all()


def test_no_panel_shows_a_hole_in_the_data(panels):
    words = re.sub(r"<[^>]+>", " ", panels)

    assert not re.search(r"\b(nan|NaT|None|NaN)\b", words)


def test_every_link_of_a_chart_leads_to_a_place_on_the_page(panels, charts):
    links = set(re.findall(r'href="#([^"]+)"', charts + panels))

    assert links
    assert links <= set(re.findall(r'id="([^"]+)"', panels))
    assert not re.search(r'href="https?:', charts)


def test_an_id_stands_on_a_page_once(panels, charts):
    ids = re.findall(r' id="([^"]+)"', panels + charts)

    assert len(ids) == len(set(ids))


def test_a_chart_goes_on_being_an_altair_chart(japan):
    chart = tradegap.chart_gaps(japan).properties(title="Mine")

    assert isinstance(chart, alt.TopLevelMixin)
    assert chart.to_dict()["title"] == "Mine"


def test_a_chart_says_in_words_what_it_shows(japan):
    drawn = figure(tradegap.chart_rounds(japan).to_dict())

    alternative = re.search(r'<svg [^>]*aria-label="([^"]+)"', drawn)[1]
    assert "9 issues by 20 rounds" in alternative
    assert "Autos deferred" in alternative


def test_every_linked_mark_of_a_chart_has_a_name(japan):
    drawn = figure(tradegap.chart_gaps(japan).to_dict())

    links = re.findall(r"<a [^>]*>(.{7})", drawn)

    assert links
    assert set(links) == {"<title>"}


def test_nothing_later_than_the_day_asked_for_is_known():
    early = tradegap.open_record("us-japan-2019", as_of="2019-08-22", documents="notes")

    assert early.signals["published"].max() <= pd.Timestamp("2019-08-22")
    assert early.as_of.isoformat() == "2019-08-22"
    assert set(early.gaps["status"]) == {"negotiated"}
    assert "ended" not in tradegap.state_answer(early).html.split("</p>")[0]
    assert read_rounds(early)["held_on"].max() <= pd.Timestamp("2019-08-22")


def test_the_answer_of_ended_talks_names_how_each_issue_ended(japan):
    answer = tradegap.state_answer(japan).html.split("</p>")[0]

    assert "ended with an agreement" in answer
    assert re.search(r"put off: autos", answer)


def test_talks_that_drifted_off_without_a_day_of_their_own_are_over_when_the_record_ends():
    late = tradegap.state_answer(tradegap.open_record("us-eu-2018", documents="notes")).html
    early = tradegap.open_record("us-eu-2018", as_of="2019-08-22", documents="notes")

    assert "drifted off without an agreement" in late
    assert "still negotiated" not in late
    assert "drifted" not in tradegap.state_answer(early).html


def test_talks_that_go_on_are_told_by_their_widest_and_narrowest_issue():
    record = tradegap.open_record("us-japan-2019", as_of="2019-08-22", documents="notes")
    then = record.gaps[(record.gaps["view"] == "then") & (record.gaps["on"] == "2019-08-22")]
    now = then.assign(issue=then["issue_id"])

    sentence = stand_sentence(record, now)

    parts = now[now["issue_id"] != "overall"]
    widest = parts.loc[parts["gap"].idxmax(), "issue"]
    assert f"furthest apart on {widest}" in sentence


def test_what_a_document_says_is_escaped(japan):
    from dataclasses import replace

    hostile = japan.shown.assign(text="<script>alert(1)</script>", speaker='"><img src=x>')
    page = tradegap.list_evidence(replace(japan, shown=hostile)).html

    assert "<script>" not in page
    assert "<img" not in page


def test_the_brief_of_a_day_waits_for_the_papers_of_the_next_morning():
    brief = tradegap.open_brief("us-japan-2019", day="2019-08-21", documents="notes")

    assert brief.signals["published"].max() == pd.Timestamp("2019-08-22")
    assert brief.record.as_of.isoformat() == "2019-08-22"
    assert "Toshimitsu Motegi" in tradegap.list_statements(brief).html
    assert len(brief.before) == len(brief.after) == 9


def test_the_brief_of_a_round_is_asked_for_by_its_code():
    rounds = tradegap.read_negotiation("us-japan-2019").rounds
    code = rounds.loc[rounds["held_on"] == "2019-08-01", "round_id"].item()

    brief = tradegap.open_brief("us-japan-2019", day=code, documents="notes")

    assert (brief.first_on.isoformat(), brief.last_on.isoformat()) == ("2019-08-01", "2019-08-02")


STORY = """Brussels and Washington still at odds over cars

Trade Commissioner Jane Doe said on Monday that the European Union and the United States remained
far apart on tariffs on cars. "There are still big differences," she told reporters.

The two sides will meet again on Friday, she said.
"""


def test_a_story_of_ones_own_gets_a_brief_beside_the_talks_it_is_about(tmp_path):
    story = tmp_path / "story.txt"
    story.write_text(STORY, encoding="utf-8")

    brief = tradegap.open_brief(story=str(story), published="2019-02-04")

    assert brief.record.negotiation.slug == "us-eu-2018"
    assert brief.signals["is_private"].all()
    assert "open" in set(brief.signals["direction"])
    assert "8\xa0February 2019" in tradegap.list_ahead(brief, after=brief.last_on).html


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"day": "August"}, r"day: found 'August'; it takes a day as YYYY-MM-DD or a round"),
        ({"day": "2019-13-01"}, "it takes a day"),
        ({"day": "r01", "documents": "some"}, "it takes all or notes"),
    ],
)
def test_a_parameter_that_does_not_stand_is_refused_in_a_line(parameters, message):
    with pytest.raises(tradegap.DataError, match=message):
        tradegap.open_brief("us-japan-2019", **parameters)


def test_private_documents_reach_the_record_and_notes_alone_leave_them_out(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("private"))
    monkeypatch.setenv("TRADEGAP_ROOT", str(tmp_path))
    story = tmp_path / "2019-02-04-story.txt"
    story.write_text(STORY, encoding="utf-8")
    folder = tradegap.read_negotiation("us-eu-2018").folder

    added, refusals = tradegap.add_documents(folder, [story])

    everything = tradegap.open_record("us-eu-2018")
    notes = tradegap.open_record("us-eu-2018", documents="notes")
    assert (len(added), refusals) == (1, [])
    assert len(everything.documents) == len(notes.documents) + 1
    assert everything.signals["is_private"].any()
    assert "(private)" in tradegap.list_evidence(everything).html


def test_nothing_on_record_is_later_than_the_day_that_a_page_is_known_as_of(record):
    as_of = pd.Timestamp(record.as_of)

    assert record.documents["published"].max() <= as_of
    assert record.negotiation.milestones["reached_on"].max() <= as_of
    assert record.gaps["on"].max() == as_of


def test_chart_text_is_measured_with_the_font_that_the_package_ships():
    label = "Wherever it is drawn, this label is as wide"
    chart = (
        alt.Chart(pd.DataFrame({"x": [label]}))
        .mark_point()
        .encode(y=alt.Y("x:N", title=None, axis=alt.Axis(labelLimit=400)))
    )

    widths = {
        font: re.search(
            r'viewBox="0 0 (\d+)',
            vl_convert.vegalite_to_svg(chart.configure(font=font).to_dict()),
        )[1]
        for font in (FONT, "no such font")
    }

    assert widths[FONT] == "220"
    assert widths["no such font"] != "220"
