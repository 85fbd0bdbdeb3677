"""tradegap: dated documents about trade talks in, pages of how the gaps evolve out.

The public names below are all that a notebook needs. Each is loaded from its stage when it is first
used, so that `import tradegap` itself costs nothing.

>>> import tradegap
>>> sorted(set(tradegap.__all__) - set(dir(tradegap)))
[]
"""

from importlib import import_module
from typing import Any

HOMES = {
    "talks": ["Negotiation", "list_negotiations", "project_root", "read_negotiation"],
    "documents": ["Document", "add_documents", "load_documents", "read_documents"],
    "coding": ["code_document", "code_documents"],
    "review": ["accept_signals", "read_ledger", "record_decisions"],
    "imports": ["import_signals", "join_signals", "read_imported"],
    "gaps": [
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
    ],
    "record": ["Brief", "Record", "open_brief", "open_record", "read_rounds"],
    "trial": ["Trial", "open_trial", "read_study"],
    "charts": [
        "chart_calibration",
        "chart_gaps",
        "chart_rounds",
        "chart_sides",
        "chart_whole",
        "use_page_charts",
    ],
    "panels": [
        "Panel",
        "fold",
        "list_ahead",
        "list_endings",
        "list_evidence",
        "list_moves",
        "list_open",
        "list_positions",
        "list_rounds",
        "list_sensitivity",
        "list_sources",
        "list_statements",
        "list_study",
        "list_turns",
        "publish_figures",
        "state_answer",
        "state_brief",
        "state_calibration",
        "state_method",
        "state_whole",
        "tabulate_brief",
    ],
    "stakes": ["measure_stakes", "read_trade", "trace_balance"],
    "worth": ["chart_balance", "list_stakes"],
    "audit": ["Audit", "open_audit", "tabulate_audit"],
    "audit_page": [
        "chart_confusion",
        "chart_reliability",
        "list_agreement",
        "list_errors",
        "list_scores",
        "state_origin",
        "state_reliability",
    ],
    "comparison": ["Comparison", "open_comparison"],
    "comparison_charts": ["chart_beside", "chart_by_round", "chart_endings", "chart_overlay"],
    "comparison_panels": [
        "list_misses",
        "list_outcomes",
        "list_standings",
        "list_talks",
        "state_comparison",
        "tabulate_comparison",
    ],
    "errors": ["DataError", "DocumentError", "PageError", "SpecError", "TradegapError"],
}

__all__ = [name for names in HOMES.values() for name in names]
__version__ = "0.1.0"


def __getattr__(name: str) -> Any:
    for module, names in HOMES.items():
        if name in names:
            return getattr(import_module(f"tradegap.{module}"), name)
    raise AttributeError(f"tradegap has no {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
