"""Sixth stage: tables in, Altair charts out, each mark linked to its evidence.

A chart here is an ordinary `altair.Chart`, to go on editing in a notebook. `use_page_charts` makes
notebooks show charts as a page does.
"""

from tradegap.charts.gaps import chart_gaps, chart_whole
from tradegap.charts.look import (
    COLOURS,
    FONT,
    INK,
    MUTED,
    PAPER,
    RULE,
    STEPS,
    figure,
    styled,
    use_page_charts,
)
from tradegap.charts.rounds import SHAPES, chart_rounds
from tradegap.charts.series import SILENT_DAYS
from tradegap.charts.sides import chart_sides
from tradegap.charts.study import KINDS, chart_calibration
from tradegap.charts.words import cell_links, day_text, in_prose, issue_order, sentence_ids

__all__ = [
    "COLOURS",
    "FONT",
    "INK",
    "KINDS",
    "MUTED",
    "PAPER",
    "RULE",
    "SHAPES",
    "SILENT_DAYS",
    "STEPS",
    "cell_links",
    "chart_calibration",
    "chart_gaps",
    "chart_rounds",
    "chart_sides",
    "chart_whole",
    "day_text",
    "figure",
    "in_prose",
    "issue_order",
    "sentence_ids",
    "styled",
    "use_page_charts",
]
