"""Fourth stage: accepted signals in, a gap per issue and day out, with a band.

    counts      a sentence → how much it counts as left to do
    evidence    signals → how much each report counts, and on which issue
    model       what a report says of the gap, how the gap moves, exact inference on a grid
    series      evidence → the gap per issue, day and view
    whole       gaps → the talks as a whole; what each side says
    explain     a reading → the signals behind it, each with its share

docs/method.md states the model; `make calibrate` holds its bands against simulated talks.
"""

from tradegap.gaps.evidence import weigh_signals
from tradegap.gaps.explain import explain_gap, explain_moves, vary_gaps
from tradegap.gaps.series import measure_gaps, read_gap
from tradegap.gaps.whole import (
    WEIGHTINGS,
    combine_gaps,
    measure_divergence,
    rank_issues,
    weigh_issues,
)

__all__ = [
    "WEIGHTINGS",
    "combine_gaps",
    "explain_gap",
    "explain_moves",
    "measure_divergence",
    "measure_gaps",
    "rank_issues",
    "read_gap",
    "vary_gaps",
    "weigh_issues",
    "weigh_signals",
]
