"""What leaves the record of an analyst's own document, measured on whole pages and their CSV."""

import ast
import html
import json
import re
import shutil
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path

import altair as alt
import pandas as pd
import pytest

import tradegap
from tradegap.coding import code_documents
from tradegap.coding.sentences import split_sentences
from tradegap.documents import cluster_stories, read_documents
from tradegap.excerpts import DOCUMENT_PCT, DOCUMENT_WORDS, HIDDEN, SENTENCE_WORDS, excerpt_signals
from tradegap.review import accept_signals
from tradegap.tables import empty

ROOT = Path(__file__).resolve().parents[1]
DAY = "2019-02-04"
HELD_BACK = ("text", "forward_text", "pace_text", "why")
# Ours, like every text of these tests: nobody said so.
ARTICLE = """Brussels and Washington at odds over motor vehicles and the produce of their farmers

Trade Commissioner Jane Doe said on Monday that the European Union and the United States remained \
far apart on tariffs on cars, that there were still gaps to be filled on farm goods, and that the \
talks with her counterpart in Washington had been very tough and would take the whole of the year.

"There are still big differences on agriculture," she told reporters. "We agreed to speed up the \
talks and to work on the remaining issues before the summer." The two sides have narrowed their \
differences on industrial goods, the Commissioner said after her meeting with the American side.

Her counterpart was less hopeful. The United States is reluctant to cut its tariffs on light \
trucks, and the talks on services have made little headway since the autumn, officials said. \
A deal on medical devices was reached last week, the officials added.

The row over farm goods is widening, a negotiator said, because Washington wants them on the \
table and Brussels has refused to negotiate about them from the first day of the talks to this one.

The two sides will meet again on Friday in Brussels for another round of talks at the level of \
ministers, she said, and a summit of the leaders is planned for June in order to take stock.

Differences remain on digital trade, and no deadline has been set for an agreement about it. The \
talks on energy have stalled. Both sides hope to close the gap on standards before the summit, but \
the Commissioner warned that negotiations could break down if new tariffs were imposed on cars.
"""


def words_of(text):
    return re.findall(r"\w+", text.lower())


def prose_of(document):
    sentences = split_sentences(document.text, document.blocks)
    return words_of(" ".join(each.text for each in sentences))


def runs(words, length):
    return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}


def longest_run(one, other):
    """Return how many words in a row stand in both."""
    length = 0
    while runs(one, length + 1) & runs(other, length + 1):
        length += 1
    return length


def seen_words(words, page, length=5):
    """Return the places of the words that the page has in runs of five or more.

    What the document itself repeats is seen once, in the longest stretch that has it.
    """
    grams = [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]
    known, used, seen = runs(page, length), set(), set()
    hits = [at for at, gram in enumerate(grams) if gram in known]
    stretches = [[at for _, at in group] for _, group in groupby(enumerate(hits), key=offset)]
    for stretch in sorted(stretches, key=len, reverse=True):
        new = [at for at in stretch if grams[at] not in used]
        used |= {grams[at] for at in stretch}
        seen |= {at + more for at in new for more in range(length)}
    return seen


def offset(numbered):
    """Return what is the same for all numbers of one unbroken row."""
    return numbered[1] - numbered[0]


def run_page(name, **parameters):
    """Return the words of a notebook's page and of its CSV, run here instead of by papermill."""
    alt.renderers.enable("default")
    cells = json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    known, page, figures = {}, "", ""
    for number, source in enumerate(sources):
        *statements, last = ast.parse(source).body
        exec(compile(ast.Module(statements, []), name, "exec"), known)
        if not isinstance(last, ast.Expr):
            exec(compile(ast.Module([last], []), name, "exec"), known)
        else:
            shown = eval(compile(ast.Expression(last.value), name, "eval"), known)
            bundle = shown._repr_mimebundle_()
            bundle = bundle[0] if isinstance(bundle, tuple) else bundle
            page += bundle["text/html"] + "\n"
            figures += bundle.get("text/csv", "")
        if number == 0:
            known |= parameters
    alt.renderers.enable("default")
    return words_of(html.unescape(re.sub(r"<[^>]+>", " ", page))), words_of(figures)


def check_limits(document, page, without=()):
    """Hold what a page shows of a document to what we say; `without` is the page without it."""
    words = prose_of(document)
    seen = seen_words(words, page) - seen_words(words, list(without))
    assert longest_run(words_of(document.text), page) <= SENTENCE_WORDS
    assert len(seen) <= min(DOCUMENT_WORDS, len(words) * DOCUMENT_PCT / 100)


def write(folder, text, name=f"{DAY}-story.txt"):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def read(path, published=DAY):
    (document,), _ = read_documents([path], published=published)
    return replace(document, is_private=True)


def excerpts_of(*documents):
    """Return the signals of documents, and the same as a page may show them."""
    listed = cluster_stories(documents)
    signals = accept_signals(code_documents(documents), empty("decisions"), listed)
    return signals, excerpt_signals(signals, documents)


def quoted(shown):
    """Return the pieces that are shown, each once, in the order of their document."""
    rows = shown[shown["text"] != HIDDEN].drop_duplicates(["sha256", "start"])
    return rows.sort_values("start")["text"].tolist()


@pytest.fixture(scope="module")
def article(tmp_path_factory):
    return read(write(tmp_path_factory.mktemp("article"), ARTICLE))


def test_a_brief_shows_a_few_words_of_a_story_and_no_long_run(article):
    page, figures = run_page("round_brief", talks="", day="", story=article.name, published=DAY)

    check_limits(article, page)
    check_limits(article, figures)
    assert seen_words(prose_of(article), page), "and yet something is quoted"


def test_pages_with_private_documents_show_as_little(article, tmp_path, monkeypatch):
    shutil.copytree(ROOT / "data", tmp_path / "data", ignore=shutil.ignore_patterns("private"))
    monkeypatch.setenv("TRADEGAP_ROOT", str(tmp_path))
    folder = tradegap.read_negotiation("us-eu-2018").folder
    pages = {
        "gap_evolution": {"talks": "us-eu-2018", "as_of": "2019-02-05"},
        "round_brief": {"talks": "us-eu-2018", "day": DAY},
    }
    before = {name: run_page(name, **parameters) for name, parameters in pages.items()}

    tradegap.add_documents(folder, [article.name])
    after = {name: run_page(name, **parameters) for name, parameters in pages.items()}

    for name in pages:
        for page, without in zip(after[name], before[name], strict=True):
            check_limits(article, page, without)
    both = after["gap_evolution"][0] + ["|"] + after["round_brief"][0]
    check_limits(article, both, before["gap_evolution"][0] + ["|"] + before["round_brief"][0])


def test_the_starting_story_and_others_stay_within_the_limits(shared, tmp_path):
    stories = [(shared / "seeds" / "globe-and-mail-2019-08-21.txt", "2019-08-21")]
    texts = sorted((shared / "gold" / "texts").glob("*.txt"), key=lambda path: path.stat().st_size)
    stories += [(path, DAY) for path in texts[:: max(1, len(texts) // 5)]]
    for original, published in stories:
        # A file's name, which is often its title, is not counted.
        path = write(tmp_path, original.read_text(encoding="utf-8"), "own.txt")
        document = read(path, published)
        parameters = {"talks": "", "day": "", "story": str(path), "published": published}

        page, figures = run_page("round_brief", **parameters)

        check_limits(document, page)
        check_limits(document, figures)


def test_no_piece_is_long_and_none_adjoins_another(article):
    signals, shown = excerpts_of(article)

    pieces = [piece.strip("… ") for piece in quoted(shown)]
    text = " ".join(article.text.split())
    places = [(text.index(piece), text.index(piece) + len(piece)) for piece in pieces]
    between = [words_of(text[end:start]) for (_, end), (start, _) in pairwise(places)]

    assert len(signals) == len(shown)
    assert len(pieces) > 1
    assert max(len(words_of(piece)) for piece in pieces) <= SENTENCE_WORDS
    assert min(len(words) for words in between) >= SENTENCE_WORDS


def test_codes_dates_and_places_stay_where_words_are_not_shown(article):
    signals, shown = excerpts_of(article)

    codes = [each for each in signals.columns if each not in HELD_BACK]

    assert HIDDEN in set(shown["text"])
    pd.testing.assert_frame_equal(signals[codes], shown[codes])
    for column in ("forward_text", "pace_text"):
        assert ((signals[column] == "") == (shown[column] == "")).all()


def test_forward_and_pace_text_stand_in_the_piece_or_not_at_all(article):
    _, shown = excerpts_of(article)

    for row in shown.to_dict("records"):
        assert row["forward_text"] in ("", HIDDEN) or row["forward_text"] in row["text"]
        assert row["pace_text"] in ("", HIDDEN) or row["pace_text"] in row["text"]


def test_the_surest_signal_is_quoted_first(article):
    _, shown = excerpts_of(article)

    assert shown.loc[shown["confidence"].idxmax(), "text"] != HIDDEN


def test_a_reprint_gives_no_second_helping(article, tmp_path):
    reprint = read(write(tmp_path, ARTICLE.replace("very tough", "hard"), f"{DAY}-copy.txt"))

    _, shown = excerpts_of(article, reprint)

    assert shown["story"].nunique() == 1
    assert shown.loc[shown["text"] != HIDDEN, "sha256"].nunique() == 1


def test_a_text_of_one_sentence_is_not_quoted_at_all(tmp_path):
    line = read(write(tmp_path, "Japan and the United States remain far apart on beef, he said."))

    signals, shown = excerpts_of(line)

    assert len(signals)
    assert set(shown["text"]) == {HIDDEN}


def test_events_that_are_not_quoted_are_listed_one_by_one(article):
    signals, _ = excerpts_of(article)
    mute = signals.assign(text=HIDDEN, forward_text=HIDDEN, forward_date="2019-02-08")
    brief = tradegap.open_brief(story=article.name, published=DAY)

    page = tradegap.list_ahead(replace(brief, shown=mute), after=brief.last_on).html

    assert page.count("not quoted: characters ") == mute["start"].nunique()


def test_our_own_notes_are_shown_whole(article):
    signals, shown = excerpts_of(replace(article, is_private=False))

    pd.testing.assert_frame_equal(signals, shown)


def test_the_title_of_a_private_document_is_not_on_its_brief(tmp_path):
    title = "Envoys Weigh Rare Remedies"
    text = f"<html><head><title>{title}</title></head><body><p>{ARTICLE}</p></body></html>"
    story = write(tmp_path, text, f"{DAY}-story.html")

    brief = tradegap.open_brief(story=str(story), published=DAY)

    assert title not in tradegap.state_brief(brief).html


@pytest.mark.parametrize("name", ["README.md", "data/README.md", "docs/method.md"])
def test_the_limits_are_stated_where_people_look(name):
    said = " ".join((ROOT / name).read_text(encoding="utf-8").split())

    assert f"at most {SENTENCE_WORDS} words of a sentence" in said
    assert f"{DOCUMENT_PCT} % of its words" in said
    assert f"at most {DOCUMENT_WORDS}" in said
