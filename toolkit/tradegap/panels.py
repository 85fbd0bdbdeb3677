"""Sixth stage, in words: tables in, sentences and HTML tables out, each led back to its source.

A panel shows itself in a notebook and on a page alike. Whatever a document says is escaped here.
What documents say is read from `shown`, never from `signals`: an analyst's own are excerpted there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from tradegap.charts import KINDS, cell_links, day_text, figure, in_prose, sentence_ids
from tradegap.coding.claims import BUILT_IN
from tradegap.each import join_words as join
from tradegap.each import name_party
from tradegap.excerpts import DOCUMENT_PCT, DOCUMENT_WORDS, HIDDEN, SENTENCE_WORDS
from tradegap.gaps import WEIGHTINGS, explain_moves, rank_issues, vary_gaps, weigh_issues
from tradegap.record import Brief, Record
from tradegap.tables import find_table, split_list
from tradegap.talks import read_issues
from tradegap.trial import ORDER, RIVALS, Trial, is_wrong, rank_agreement

__all__ = [
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
]

MOST_REASONS = 3  # of a coding that a page names
SURE_MOVE = 0.02  # a smaller change of the gap is no move: it is within what a day's walk gives
WORDS = {
    "closed": "agreed",
    "narrowing": "narrowing",
    "open": "still open",
    "widening": "widening",
    "none": "ahead or pace",
}


# The same in a sentence: the gap was …
SAID = WORDS | {"closed": "closed"}


@dataclass(frozen=True)
class Panel:
    """A piece of a page, as HTML; `figures`, if any, is the CSV that the page offers."""

    html: str
    figures: str = ""

    def __post_init__(self) -> None:
        """Keep plain text, so that what it is put together with is not escaped twice."""
        object.__setattr__(self, "html", str(self.html))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        bundle = {"text/html": self.html}
        return bundle | ({"text/csv": self.figures} if self.figures else {})


@cache
def macros(template: str = "panels.html.j2") -> Any:
    """Return the HTML of the panels, as Jinja macros that escape what they are given."""
    pieces = jinja2.Environment(
        loader=jinja2.PackageLoader("tradegap", "template"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    pieces.filters["day"] = day_text
    return pieces.get_template(template).module


def fold(summary: str, *shown: Any) -> Panel:
    """Return charts and panels behind a line that opens them: what a page needs second."""
    parts = [each.html if isinstance(each, Panel) else figure(each.to_dict()) for each in shown]
    return Panel(macros().fold(summary=summary, parts=[Markup(part) for part in parts]))


def state_answer(record: Record) -> Panel:
    """Return where the talks stand, what moved last, and a line an issue."""
    now = readings(record)
    moved = latest_move(record.shown, record)
    return Panel(
        macros().answer(
            sentence=stand_sentence(record, now),
            moved=signal_line(moved) if moved is not None else None,
            rows=now.to_dict("records"),
            cite=citations(record),
            as_of=record.as_of,
            is_over=is_over(record),
            signals=len(record.shown),
            reviewed=int((record.shown["review"] != "unreviewed").sum()),
            documents=len(record.documents),
            private=int(record.documents["is_private"].sum()),
        )
    )


def state_brief(brief: Brief) -> Panel:
    """Return what a round, a day or a story brought, in a few sentences."""
    on_talks = brief.shown[is_about(brief.shown, brief.record)]
    ours = on_talks[(on_talks["direction"] != "none") & (on_talks["scope"] == "between")]
    counts = ours["direction"].value_counts()
    said = [
        (int(counts[direction]), words)
        for direction, words in (
            ("closed", "settled"),
            ("narrowing", "narrowing"),
            ("open", "still open"),
            ("widening", "widening"),
        )
        if direction in counts
    ]
    parts = [
        f"{count} {'sentence says' if count == 1 else 'sentences say'} that the gap is {words}"
        if number == 0
        else f"{count} that it is {words}"
        for number, (count, words) in enumerate(said)
    ]
    names = issue_words()
    apart = ours[ours["direction"].isin(["open", "widening"])]
    codes = [code for issues in apart["issues"] for code in split_list(issues)]
    open_on = [names[code] for code in dict.fromkeys(sorted(codes)) if code != "overall"]
    if "overall" in codes:
        open_on.append("the talks as a whole")
    span = day_text(brief.first_on)
    if brief.last_on != brief.first_on:
        span += f" to {day_text(brief.last_on)}"
    ahead = look_ahead(on_talks, brief.last_on)
    toughness = sorted({text for text in on_talks["pace_text"] if text and text != HIDDEN})
    return Panel(
        macros().brief(
            title=brief.title,
            span=span,
            sentence=join(parts) + "." if parts else "Nothing was said of the gap.",
            pace=join([f"“{text}”" for text in toughness]),
            open_on=join(open_on) if open_on else "",
            ahead=f"{ahead.iloc[0]['when']}, “{ahead.iloc[0]['forward_text']}”".removesuffix(
                f", “{HIDDEN}”"
            )
            if len(ahead) and ahead.iloc[0]["forward_date"]
            else "",
            documents=brief.shown["document"].nunique(),
            signals=len(brief.shown),
            reviewed=int((brief.shown["review"] != "unreviewed").sum()),
            known=brief.record is not None,
            limits=limits(brief.shown),
        )
    )


def list_statements(brief: Brief) -> Panel:
    """Return who said what in a brief: the speakers, most outspoken first, each with sentences."""
    rows = brief.shown.assign(
        who=[
            speaker.replace(";", " and ")
            or (f"{party.replace(';', ' and ')} (unnamed)" if party else "The report")
            for speaker, party in zip(brief.shown["speaker"], brief.shown["party"], strict=True)
        ]
    )
    groups = [
        (who, rows.loc[index, "party"].mode().iat[0], evidence_rows(rows.loc[index]))
        for who, index in rows.groupby("who").groups.items()
    ]
    groups.sort(key=lambda group: (group[0] == "The report", -len(group[2]), group[0]))
    return Panel(macros().statements(groups=groups))


def list_moves(brief: Brief) -> Panel:
    """Return the gap before and after, an issue a row, largest move first."""
    if brief.record is None or brief.before.empty:
        return Panel(macros().note(text="No negotiation on record has these parties on that day."))
    rows = brief.before.merge(brief.after, on="issue_id", suffixes=("_before", ""))
    rows = rows.merge(read_issues(), on="issue_id")
    rows["change"] = rows["gap"] - rows["gap_before"]
    rows["word"] = rows["change"].map(move_word)
    rows = rows.sort_values("change", key=abs, ascending=False, kind="stable")
    return Panel(macros().moves(rows=rows.to_dict("records")))


def list_open(brief: Brief) -> Panel:
    """Return the issues that the brief leaves open, each with its latest sentence that says so."""
    rows = brief.shown[brief.shown["direction"].isin(["open", "widening"])]
    rows = rows[(rows["scope"] == "between") & is_about(rows, brief.record)]
    rows = rows.assign(issue_id=rows["issues"].map(split_list)).explode("issue_id")
    rows = rows.merge(read_issues(), on="issue_id").sort_values(["published", "start"])
    latest = rows.drop_duplicates("issue_id", keep="last")
    return Panel(
        macros().open_issues(
            rows=[
                (row["issue"], evidence_rows(latest[latest["issue_id"] == row["issue_id"]])[0])
                for row in latest.sort_values("issue").to_dict("records")
            ]
        )
    )


def list_ahead(known: Record | Brief, *, after: Any) -> Panel:
    """Return what lies ahead of a day: meetings, deadlines, targets, with the sentence for each.

    An event without a date is ahead if it was announced in the thirty days before.
    """
    ahead = look_ahead(known.shown, after)
    rows = [
        row | {"when": when, "what": what}
        for row, when, what in zip(
            evidence_rows(ahead), ahead["when"], ahead["forward_text"], strict=True
        )
    ]
    return Panel(macros().ahead(rows=rows, after=after))


def look_ahead(signals: pd.DataFrame, after: Any) -> pd.DataFrame:
    """Return the signals that tell of what lies ahead of a day, soonest first, dateless last."""
    told = signals[signals["forward_text"] != ""]
    day = pd.Timestamp(after)
    dated = pd.to_datetime(told["forward_date"].map(last_day))
    told = told.assign(last=dated, when=told["forward_date"].map(when_text))
    recent = told["published"] >= day - pd.Timedelta(days=30)
    ahead = told[(dated > day) | (dated.isna() & recent & (told["published"] <= day))]
    ahead = ahead.sort_values(["last", "published", "start"], na_position="last", kind="stable")
    # What is not quoted is told apart by its place.
    told_as = ahead["text"].where(ahead["text"] != HIDDEN, sentence_ids(ahead))
    return ahead[~ahead.assign(told_as=told_as).duplicated(["forward_date", "told_as"])]


def list_positions(record: Record) -> Panel:
    """Return what each party asks, offers and refuses, side by side, an issue a row."""
    positions = record.negotiation.positions
    positions = positions[positions["stated_on"] <= pd.Timestamp(record.as_of)]
    positions = positions.sort_values("stated_on", kind="stable")
    names = read_issues().set_index("issue_id")["issue"]
    rows = []
    for issue_id in record.negotiation.issues["issue_id"]:
        own = positions[positions["issue_id"] == issue_id]
        if len(own):
            sides = [
                own[own["party"] == party].to_dict("records")
                for party in record.negotiation.parties
            ]
            rows.append((names[issue_id], sides))
    return Panel(
        macros().positions(parties=record.negotiation.parties, rows=rows, cite=citations(record))
    )


def list_evidence(record: Record) -> Panel:
    """Return every signal that moved a gap, an issue a table, with its weight and its share.

    The share is of the move on the day it was published; `tradegap.explain_gap` has other spans. A
    table has a body for each round since which its sentences were published: where the cells of the
    issue by round picture lead.
    """
    signals = record.shown[is_about(record.shown, record)]
    weights = record.evidence.query("said_of == issue_id")
    key = ["sha256", "start", "end", "direction"]
    moves = explain_moves(record.signals, record.negotiation, as_of=record.as_of)
    figures = ["share", "gap_before", "gap", "gap_without"]
    weights = weights.merge(moves[[*key, "issue_id", *figures]], how="left", on=[*key, "issue_id"])
    names = read_issues().set_index("issue_id")["issue"]
    cells = cell_links(record)
    groups, seen = [], set()
    for issue_id in record.negotiation.issues["issue_id"]:
        of_issue = weights[weights["issue_id"] == issue_id].drop(columns="issue_id")
        own = signals.merge(of_issue[[*key, "known_on", "weight", *figures]], on=key)
        own = own.sort_values(["published", "document", "start"], ascending=[False, True, True])
        rows = evidence_rows(own)
        for row in rows:
            row["is_counted"] = row["share"] == row["share"]
            row["anchor"] = "" if row["anchor"] in seen else row["anchor"]
            seen.add(row["anchor"])
        spoken = cells[(cells["issue_id"] == issue_id) & (cells["spoken"] == cells["round_id"])]
        starts = spoken["on"].shift().fillna(pd.Timestamp("1900-01-01"))
        bodies = [
            (anchor, [row for row in rows if start < row["known_on"] <= end])
            for anchor, start, end in zip(spoken["anchor"], starts, spoken["on"], strict=True)
        ]
        groups.append((issue_id, names[issue_id], bodies[::-1]))
    counted = signals.merge(weights[key].drop_duplicates(), on=key)
    rest = len(record.shown) - len(counted)
    return Panel(macros().evidence(groups=groups, rest=rest))


def list_rounds(record: Record) -> Panel:
    """Return the rounds and milestones, in one list by date."""
    rounds = record.negotiation.rounds.assign(
        on=record.negotiation.rounds["held_on"],
        what=record.negotiation.rounds["round"],
        said=record.negotiation.rounds["result"],
        kind="round",
    )
    milestones = record.negotiation.milestones.assign(
        on=record.negotiation.milestones["reached_on"],
        what=record.negotiation.milestones["milestone"],
        said=record.negotiation.milestones["note"],
        venue="",
        level="",
    )
    rows = pd.concat([rounds, milestones], ignore_index=True)
    rows = rows[rows["on"] <= pd.Timestamp(record.as_of)].sort_values("on", kind="stable")
    columns = [
        "on",
        "ended_on",
        "what",
        "said",
        "kind",
        "venue",
        "level",
        "source_url",
        "confidence",
    ]
    return Panel(macros().rounds(rows=rows[columns].to_dict("records"), cite=citations(record)))


def list_sources(record: Record) -> Panel:
    """Return the documents that the record rests on, latest first."""
    rows = record.documents.sort_values(["published", "document"], ascending=[False, True])
    signals = record.shown["sha256"].value_counts()
    listed = rows.assign(
        signals=rows["sha256"].map(signals).fillna(0).astype(int), anchor=document_ids(rows)
    )
    return Panel(macros().sources(rows=listed.to_dict("records"), about=record.negotiation.about))


def state_method(record: Record) -> Panel:
    """Return how the figures came about, what they are not, and how far they were reviewed."""
    review = record.shown["review"].value_counts()
    return Panel(
        macros().method(
            review={
                word: int(review.get(word, 0))
                for word in ("confirmed", "corrected", "added", "unreviewed")
            },
            signals=len(record.shown),
            imported=count_imported(record.shown),
            limits=limits(record.shown),
        )
    )


def state_whole(record: Record) -> Panel:
    """Return which issues hold most of the gap, and whether that depends on the weighting."""
    ranks = rank_issues(record.gaps, record.negotiation).merge(read_issues(), on="issue_id")
    held = {
        weighting: [
            f"{in_prose(row.issue)} {row.held * 100:.0f}\N{NO-BREAK SPACE}%"
            for row in rows.head(3).itertuples()
        ]
        for weighting, rows in ranks.groupby("weighting", sort=False)
    }
    tops = ranks[ranks["rank"] == 1].groupby("weighting")["issue"].agg(lambda each: set(each))
    shared = set.intersection(*tops) if len(tops) else set()
    weights = weigh_issues(record.negotiation)
    counted = int((weights.loc[weights["weighting"] == "trade", "weight"] > 0).sum())
    return Panel(
        macros().whole(
            lines=[(f"by {WEIGHTINGS[by]}", join(issues)) for by, issues in held.items()],
            top=join(sorted(map(in_prose, shared))),
            counted=counted,
            issues=int((record.negotiation.issues["issue_id"] != "overall").sum()),
        )
    )


def list_sensitivity(record: Record) -> Panel:
    """Return how far the gaps move when an outlet, a side or the cue weights change, a row each."""
    rows = vary_gaps(record.signals, record.negotiation, as_of=record.as_of)
    rows = rows.merge(read_issues(), how="left", on="issue_id")
    return Panel(macros().sensitivity(rows=rows.to_dict("records")))


def state_calibration(study: pd.DataFrame) -> Panel:
    """Return how well the bands and the errors stand up in simulation, in a few sentences."""
    model = study[study["method"] == "model"]
    whole = model[model["kind"] == "all"].iloc[0]
    groups = model[model["kind"].isin(KINDS[1:])]
    cells = model[model["kind"] == "cell"]
    errors = study[study["kind"] == "all"].set_index("method")["rmse"]
    rivals = study[study["method"].isin(RIVALS)]
    beside = rivals.merge(model[["kind", "scenario", "rmse"]], on=["kind", "scenario"])
    lost = beside[beside["rmse_x"] <= beside["rmse_y"]]
    return Panel(
        macros().calibration(
            whole=whole.to_dict(),
            low=groups["covers_90"].min(),
            high=groups["covers_90"].max(),
            cell_low=cells["covers_90"].min(),
            cell_high=cells["covers_90"].max(),
            cells=len(cells),
            outside=int((~cells["covers_90"].between(0.8, 0.97)).sum()),
            mean=errors["30-day mean"],
            saved=1 - whole["rmse"] / errors["30-day mean"],
            oracle=errors["oracle"],
            beside=errors["model, beside the oracle"],
            lost=[f"{row.scenario} ({row.method})" for row in lost.itertuples()],
        )
    )


def list_study(study: pd.DataFrame) -> Panel:
    """Return the model's bands and every method's error, a scenario a row."""
    tables = []
    for kinds in (KINDS, ["cell"]):
        rows = study[study["kind"].isin(kinds)]
        errors = rows.pivot(index=["kind", "scenario"], columns="method", values="rmse")
        model = rows[rows["method"] == "model"].set_index(["kind", "scenario"])
        lines = [
            {"scenario": key[1], "model": each, "errors": errors.loc[key].to_dict()}
            for key, each in model.to_dict("index").items()
        ]
        tables.append(lines)
    return Panel(macros().study(tables=tables, rivals=list(RIVALS)))


def list_turns(trial: Trial) -> Panel:
    """Return the dated turns of real talks and what the index did at them."""
    rows = trial.turns.merge(read_issues(), on="issue_id")
    rows = rows.sort_values(["talks", "from_on", "issue_id"])
    return Panel(macros().turns(rows=rows.to_dict("records"), missed=int(rows["is_miss"].sum())))


def list_endings(trial: Trial) -> Panel:
    """Return how each issue of real talks ended, and what the index said of it by then."""
    rows = trial.endings.merge(read_issues(), on="issue_id")
    order = rows["outcome"].map(ORDER).fillna(2)
    settled = rows[rows["outcome"].isin(list(ORDER))]
    return Panel(
        macros().endings(
            rows=rows.sort_values(["talks", "gap"]).to_dict("records"),
            counts=trial.counts.to_dict("records"),
            negotiations=rows["talks"].nunique(),
            agreement=rank_agreement(order, rows["gap"]),
            earlier=rank_agreement(order, rows["gap_month_before"]),
            counted=rank_agreement(trial.counts["left"], trial.counts["gap"]),
            missed=int(rows["is_miss"].sum()),
            missed_before=count_wrong(rows, "gap_day_before"),
            missed_after=count_wrong(rows, "gap_day_after"),
            led=int((settled["lead_days"] > 0).sum()),
            settled=len(settled),
            lead=float(settled["lead_days"].median()) if len(settled) else 0.0,
        )
    )


def count_wrong(endings: pd.DataFrame, column: str) -> int:
    """Return how many endings the gaps of a column look unlike."""
    return sum(map(is_wrong, endings["outcome"], endings[column]))


def publish_figures(figures: pd.DataFrame) -> Panel:
    """Return the page's offer of its figures: the frame as CSV, which the build lays beside it."""
    page = os.environ.get("TRADEGAP_PAGE", "")
    columns, table = list(figures.columns), find_table(list(figures.columns))
    return Panel(
        macros().download(
            name=f"{page.rpartition('/')[2] or 'figures'}.csv",
            rows=len(figures),
            columns=columns,
            # Only a published page has the dictionary beside it.
            explained=f"../data.html#{table.name}" if "/" in page and table else "",
        ),
        figures.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d"),
    )


def tabulate_brief(brief: Brief) -> pd.DataFrame:
    """Return one row per signal of a brief: its figures, without the sentences."""
    columns = [
        *("published", "document", "sha256", "start", "end", "direction", "issues", "speaker"),
        *("party", "pace", "forward_text", "forward_date", "scope", "talks", "confidence"),
        "review",
    ]
    return brief.shown[columns]


def readings(record: Record) -> pd.DataFrame:
    """Return one row per issue: its gap on the record's day, and what moved it last."""
    then = record.gaps[record.gaps["view"] == "then"]
    now = then[then["on"] == then["on"].max()].merge(read_issues(), on="issue_id")
    notes = record.negotiation.issues[["issue_id", "outcome_note", "outcome_on", "source_url"]]
    now = now.merge(notes, on="issue_id")
    last = []
    for issue_id in now["issue_id"]:
        about = record.shown["issues"].map(split_list).map(lambda codes, i=issue_id: i in codes)
        move = latest_move(record.shown[about.astype(bool)], record)
        last.append(signal_line(move) if move is not None else None)
    return now.assign(moved=last)


def latest_move(signals: pd.DataFrame, record: Record) -> pd.Series | None:
    """Return the latest signal of these that says a gap of this record moved, if there is one."""
    moving = signals["direction"].isin(["closed", "narrowing", "widening"])
    rows = signals[moving & (signals["scope"] == "between") & is_about(signals, record)]
    rows = rows.sort_values(["published", "confidence"], kind="stable")
    return None if rows.empty else rows.iloc[-1]


def is_about(signals: pd.DataFrame, record: Record | None) -> pd.Series:
    """Return which signals are about the record's own talks; all of them where there is none."""
    if record is None:
        return pd.Series(True, index=signals.index)
    return signals["talks"].map(record.negotiation.covers).astype(bool)


def is_over(record: Record) -> bool:
    """Return whether the talks had ended by the record's day.

    Talks that drifted off without a day of their own are over after the last thing on record.
    """
    negotiation = record.negotiation
    if negotiation.ended_on is not None:
        return record.as_of >= negotiation.ended_on
    last = max(negotiation.rounds["ended_on"].max(), negotiation.milestones["reached_on"].max())
    return bool(negotiation.outcome) and pd.Timestamp(record.as_of) >= last


def stand_sentence(record: Record, now: pd.DataFrame) -> str:
    """Return the sentence that opens a page: where the talks stand on the record's day."""
    parties = join([name_party(each) for each in record.negotiation.parties])
    opening = parties[0].upper() + parties[1:]
    if record.shown.empty:
        return f"Nothing of the talks between {parties} is on record yet."
    issues = now[now["issue_id"] != "overall"]
    by_status = {
        status: [in_prose(name) for name in rows["issue"].replace("Other", "Other issues")]
        for status, rows in issues.groupby("status", sort=False)
    }
    ended = "; ".join(
        f"{words}: {join(by_status[status])}"
        for status, words in (
            ("agreed", "agreed"),
            ("partly agreed", "agreed in part"),
            ("deferred", "put off"),
            ("dropped", "dropped"),
            ("broken off", "broken off"),
        )
        if status in by_status
    )
    endings = f" {ended[:1].upper()}{ended[1:]}." if ended else ""
    going = issues[issues["status"] == "negotiated"]
    if is_over(record):
        how = {
            "agreed": "ended with an agreement",
            "partly agreed": "ended with an agreement in part",
            "broken off": "broke off without an agreement",
            "drifted": "drifted off without an agreement",
        }.get(record.negotiation.outcome, "ended")
        return f"The talks between {parties} {how}.{endings}"
    if going.empty:
        return f"{opening} are talking.{endings}"
    widest = going.loc[going["gap"].idxmax()]
    nearest = going.loc[going["gap"].idxmin()]
    said = f"{opening} are furthest apart on {in_prose(widest['issue'])} ({widest['gap']:.2f})"
    if nearest["issue_id"] != widest["issue_id"]:
        said += f" and closest on {in_prose(nearest['issue'])} ({nearest['gap']:.2f})"
    return f"{said}.{endings}"


def signal_line(row: pd.Series) -> dict[str, Any]:
    """Return what one signal says, for a line of prose with a link to its sentence."""
    return {
        "published": row["published"],
        "direction": row["direction"],
        "word": WORDS[row["direction"]],
        "speaker": row["speaker"].replace(";", " and ") or row["publisher"],
        "anchor": sentence_ids(row.to_frame().T).iat[0],
    }


def evidence_rows(signals: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one dict per signal: what a line of evidence shows."""
    rows = []
    for row, anchor in zip(signals.to_dict("records"), sentence_ids(signals), strict=True):
        row["anchor"] = anchor
        row["speaker"] = row["speaker"].replace(";", " and ")
        row["is_quoted"] = row["text"][:1] in "\"“‘'"
        row["told"] = tell(row) if row["text"] == HIDDEN else ""
        row["word"] = WORDS[row["direction"]]
        # Where a person decided otherwise, the program's reasons are not why.
        stands = row["review"] in ("confirmed", "unreviewed")
        row["reasons"] = strongest(row["why"]) if stands else ""
        row["found_by"] = finders(row["coder"])
        rows.append(row)
    return rows


def strongest(why: str) -> str:
    """Return the reasons of a coding that weigh most, as prose; `always` is the same for all.

    >>> strongest("always -3.8;not willing +1.9;negation +0.4;deal named -0.2;lead +0.1;again +0.1")
    'not willing +1.9, negation +0.4, deal named −0.2 and 2 smaller ones'
    """
    reasons = [each.replace(" -", " −") for each in why.split(";")]
    reasons = [each for each in reasons if each and not each.startswith("always ")]
    reasons.sort(key=lambda each: -abs(float(each.rpartition(" ")[2].replace("−", "-"))))
    more = len(reasons) - MOST_REASONS
    if more < 2:
        return ", ".join(reasons)
    return f"{', '.join(reasons[:MOST_REASONS])} and {more} smaller ones"


def citations(record: Record) -> dict[str, str]:
    """Return, of each address that is a document on record, its place among the sources."""
    documents = record.documents[record.documents["source_url"] != ""]
    places = "#" + document_ids(documents)
    return dict(zip(documents["source_url"], places, strict=True))


def document_ids(rows: pd.DataFrame) -> pd.Series:
    """Return the anchor of each document among the sources of a page."""
    return "d-" + rows["sha256"].str[:8]


def tell(row: dict[str, Any]) -> str:
    """Return what a signal says, in a sentence of our own, for one whose words are not shown.

    >>> row = {"speaker": "", "party": "Japan", "direction": "open", "issues": "autos;digital",
    ...        "talks": "Japan;US", "scope": "between", "pace": "none", "forward_text": "",
    ...        "forward_date": ""}
    >>> tell(row)
    'Japan said that the gap on autos and digital trade between Japan and the US was still open.'
    >>> tell(row | {"direction": "none", "forward_text": "…", "forward_date": "2019-08-22"})
    'Japan told of something ahead, 22\xa0August 2019.'
    """
    who = row["speaker"] or join([name_party(each) for each in split_list(row["party"])])
    who = who[:1].upper() + who[1:] or "The report"
    names = issue_words()
    on = join([names[code] for code in split_list(row["issues"]) if code != "overall"])
    between = join([name_party(each) for each in split_list(row["talks"])])
    gap = "a gap inside one side" if row["scope"] == "within" else "the gap"
    gap += (f" on {on}" if on else "") + (f" between {between}" if between else "")
    said = []
    if row["direction"] != "none":
        said.append(f"said that {gap} was {SAID[row['direction']]}")
    if row["pace"] != "none":
        pace = "moving faster" if row["pace"] == "accelerating" else "stalled"
        said.append(f"called the talks {pace}")
    if row["forward_text"]:
        when = when_text(row["forward_date"]) if row["forward_date"] else "without a date"
        said.append(f"told of something ahead, {when}")
    return f"{who} {join(said)}."


@cache
def issue_words() -> dict[str, str]:
    """Return the issues as prose names them, by code."""
    issues = read_issues()
    return dict(zip(issues["issue_id"], issues["issue"].map(in_prose), strict=True))


def finders(coder: str) -> str:
    """Return who found a signal, where it was not the built-in coder alone.

    >>> finders("cues;ann"), finders("cues")
    ('the built-in coder and ann', '')
    """
    if coder in ("", BUILT_IN):
        return ""
    return join([name.replace(BUILT_IN, "the built-in coder") for name in split_list(coder)])


def count_imported(signals: pd.DataFrame) -> str:
    """Return how many undecided signals each other coder found, as prose."""
    names = signals["coder"].map(split_list).explode()
    counts = names[names.notna() & (names != BUILT_IN)].value_counts().sort_index()
    return join([f"{coder} {count}" for coder, count in counts.items()]) if len(counts) else ""


def limits(signals: pd.DataFrame) -> dict[str, Any]:
    """Return what holds of the private documents behind some signals, and whether there are any."""
    return {
        "is_private": bool(signals["is_private"].any()),
        "sentence_words": SENTENCE_WORDS,
        "document_pct": DOCUMENT_PCT,
        "document_words": DOCUMENT_WORDS,
    }


def move_word(change: float) -> str:
    """Return a change of the gap as a word.

    >>> move_word(-0.1), move_word(0.001), move_word(0.015)
    ('narrowed', 'did not move', 'hardly moved')
    """
    if abs(change) < SURE_MOVE:
        return "did not move" if round(abs(change), 2) == 0 else "hardly moved"
    return "narrowed" if change < 0 else "widened"


def last_day(when: str) -> pd.Timestamp:
    """Return the last day that a date, month or year of ISO form can mean.

    >>> last_day("2019-09")
    Timestamp('2019-09-30 00:00:00')
    """
    if not when:
        return pd.NaT
    period = pd.Period(when, freq={4: "Y", 7: "M"}.get(len(when), "D"))
    return period.end_time.normalize()


def when_text(when: str) -> str:
    """Return a date, month or year of ISO form as people write it.

    >>> when_text("2019-09"), when_text("2019-08-22"), when_text("")
    ('September\xa02019', '22\xa0August 2019', 'no date')
    """
    if not when:
        return "no date"
    if len(when) == 10:
        return day_text(pd.Timestamp(when))
    if len(when) == 4:
        return when
    return f"{pd.Timestamp(when + '-01'):%B\N{NO-BREAK SPACE}%Y}"
