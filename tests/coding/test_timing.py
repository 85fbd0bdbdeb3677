"""When: the dates that sentences of our own name, what they announce, and how fast talks go."""

from __future__ import annotations

import time
from datetime import date

import pytest

from tradegap.coding.cues import read_rows, tokens
from tradegap.coding.dates import find_event_date, find_told_date, find_whens
from tradegap.coding.parties import find_mentions, mark
from tradegap.coding.sentences import split_sentences
from tradegap.coding.timing import find_forwards, find_paces, read_signs, show_forward, show_pace
from tradegap.documents import Block

WEDNESDAY = date(2021, 6, 9)
LEAD = "Chilean and Peruvian ministers met in Lima on Wednesday for trade talks."


def ahead(sentence: str, event: date = WEDNESDAY, told: date | None = None) -> list[str]:
    """Return the dates ahead that a sentence names."""
    return [each.date for each in find_whens(tokens(sentence), event, told) if each.is_ahead]


def forwards_of(text: str, blocks: tuple[Block, ...] = ()) -> list[tuple[str, str] | None]:
    """Return words and date of what each sentence of a text announces."""
    sentences = split_sentences(text, blocks or (Block(0, len(text), "text"),))
    mentions = find_mentions(text)
    marked = [tokens(mark(text, mentions, each.start, each.end)) for each in sentences]
    found = find_forwards(sentences, marked, WEDNESDAY, WEDNESDAY)
    return [(each.text, each.date) if each else None for each in found]


def paces_of(text: str) -> list[str]:
    sentences = split_sentences(text, (Block(0, len(text), "text"),))
    return [each.pace for each in find_paces(sentences, [tokens(s.text) for s in sentences])]


@pytest.mark.parametrize(
    ("sentence", "day"),
    [
        ("They will meet on June 21.", "2021-06-21"),
        ("They will meet on 21st June 2022.", "2021-06-21".replace("2021", "2022")),
        ("The round runs from June 21-25.", "2021-06-21"),
        ("The duties start on Jan. 15.", "2022-01-15"),
        ("They will sign by 2021-09-01.", "2021-09-01"),
        ("The next round opens on Friday.", "2021-06-11"),
        ("They are due to meet next Wednesday.", "2021-06-16"),
        ("Ministers meet tomorrow.", "2021-06-10"),
        ("A summit is planned for this weekend.", "2021-06-12"),
        ("Their leaders will meet at the weekend.", "2021-06-12"),
        ("They have until the end of the month.", "2021-06-30"),
        ("They must agree by the end of next month.", "2021-07-31"),
        ("They will meet at the end of the month.", "2021-06"),
        ("A deal is due by the end of the year.", "2021-12"),
        ("The talks should end by the end of 2023.", "2023-12"),
        ("The round is due to begin in late September.", "2021-09"),
        ("They hope to conclude by mid-October.", "2021-10"),
        ("A September summit is planned.", "2021-09"),
        ("He spoke of the July economic summit.", "2021-07"),
        ("Peru must answer by the end of August.", "2021-08-31"),
        ("The summit is at the end of August.", "2021-08"),
        ("The pact lapses in two months.", "2021-08"),
        ("They will meet in January.", "2022-01"),
        ("The pact is to start in March 2024.", "2024-03"),
        ("The envoy will travel to Lima early next month.", "2021-07"),
        ("They will meet later this month.", "2021-06"),
        ("Duties will fall in the second half of this year.", "2021"),
        ("Duties will fall next year.", "2022"),
        ("An offer is expected in the autumn.", "2021"),
        ("Duties will end by the year 2030.", "2030"),
        ("They will meet again in two weeks.", "2021-06-23"),
        ("The pact must be ready within three months.", "2021-09"),
        ("They agreed on a 90-day truce.", "2021-09-07"),
        ("They will meet next week.", ""),
        ("They will finish in the coming weeks.", ""),
        ("They will decide in the next two weeks.", ""),
    ],
)
def test_a_date_ahead_is_a_day_else_a_month_else_a_year(sentence: str, day: str) -> None:
    assert ahead(sentence)[:1] == [day]


@pytest.mark.parametrize(
    "sentence",
    [
        "The minister said on Monday that gaps remain.",
        "They met on Friday.",
        "The last round was held in May.",
        "Talks broke down last month.",
        "The pact was signed in 2015.",
        "They spoke yesterday.",
        "Prices rose 10 pct in March.",
        "A person briefed today said so.",
        "Chile on Friday accused Peru of bad faith.",
        "In August, Peru published its list.",
        "They agreed to a truce on Friday after long talks.",
        "It was the first move in two months.",
    ],
)
def test_what_is_past_is_not_ahead(sentence: str) -> None:
    assert ahead(sentence) == []


def test_today_is_the_day_of_the_text_and_a_weekday_follows_the_event() -> None:
    tuesday = date(2021, 6, 8)

    assert ahead("They will meet today.", tuesday, WEDNESDAY) == ["2021-06-09"]
    assert ahead("They will meet on Tuesday.", tuesday, WEDNESDAY) == ["2021-06-08"]


def test_a_dateline_says_what_today_is() -> None:
    opening = "LIMA, June 8 - Ministers met here yesterday."

    assert find_told_date(opening, WEDNESDAY) == date(2021, 6, 8)
    assert find_event_date(opening, WEDNESDAY) == date(2021, 6, 8)


def test_a_dateline_of_the_old_year_is_read_on_new_years_day() -> None:
    assert find_told_date("LIMA, Dec 31 - Talks ended.", date(2022, 1, 1)) == date(2021, 12, 31)


@pytest.mark.parametrize(
    ("sentence", "day"),
    [
        ("The two sides will meet again on Friday, the envoy said.", "2021-06-11"),
        ("Tariffs on Peruvian wine are due to take effect on July 1.", "2021-07-01"),
        ("The next round of negotiations will be held in Santiago in August.", "2021-08"),
        ("The deadline for a deal expires on June 30.", "2021-06-30"),
        ("Chile has given Peru until the end of the month to withdraw the tariffs.", "2021-06-30"),
        ("The pact will enter into force on January 1.", "2022-01-01"),
        ("Peru's trade minister will travel to Santiago next week for talks.", ""),
        ("No date was set for another round of talks.", ""),
        ("Both sides hope to conclude the agreement by October.", "2021-10"),
        ("Parliament is expected to vote on the agreement in November.", "2021-11"),
        ("Chile and Peru will finalise and sign the agreement in the coming weeks.", ""),
        ("Public hearings on the tariffs are scheduled for July 7.", "2021-07-07"),
    ],
)
def test_an_event_of_the_talks_is_announced_with_its_date(sentence: str, day: str) -> None:
    announced = forwards_of(f"{LEAD} {sentence}")[-1]

    assert announced is not None
    assert announced[1] == day
    assert len(announced[0].split()) <= 16


@pytest.mark.parametrize(
    "sentence",
    [
        "The ministers met in May and parted without a word.",
        "Exports of wine fell last year.",
        "The trade gap widened to 3 billion dollars.",
        "Peru says the wine is bad.",
        "Will they agree?",
    ],
)
def test_what_is_over_or_of_other_matters_is_not_announced(sentence: str) -> None:
    assert forwards_of(f"{LEAD} {sentence}")[-1] is None


def test_a_title_takes_the_date_that_the_text_gives() -> None:
    title, body = "Chile and Peru to hold talks", "Chile and Peru will hold talks on June 21."
    blocks = (
        Block(0, len(title), "title"),
        Block(len(title) + 2, len(title) + 2 + len(body), "text"),
    )

    announced = forwards_of(f"{title}\n\n{body}", blocks)

    assert [each and each[1] for each in announced] == ["2021-06-21", "2021-06-21"]


@pytest.mark.parametrize(
    ("sentence", "days"),
    [
        ("The sides will meet at the Lima summit next week.", ["2021-06-16", "2021-06-16"]),
        ("A summit later this month is to settle the talks.", ["2021-06-16", "2021-06-16"]),
        ("They will meet in July for talks.", ["2021-07", "2021-06-16"]),
        ("A truce is to end in ten days.", ["2021-06-19", "2021-06-16"]),
    ],
)
def test_a_loosely_told_time_is_the_day_that_the_text_gives_for_it(
    sentence: str, days: list[str]
) -> None:
    announced = forwards_of(f"{LEAD} {sentence} The Lima summit will be held on June 16.")

    assert [each[1] for each in announced[1:] if each] == days


def test_the_date_of_an_event_follows_it() -> None:
    announced = forwards_of(f"{LEAD} After a June 14 vote the talks are due to open on June 21.")

    assert [each[1] for each in announced if each] == ["2021-06-21"]


@pytest.mark.parametrize(
    ("sentence", "pace"),
    [
        ("The trade talks are deadlocked.", "stalled"),
        ("Negotiations have stalled over wine.", "stalled"),
        ("The talks made little headway.", "stalled"),
        ("The two sides agreed to speed up the talks.", "accelerating"),
        ("Progress in the talks is slow.", "stalled"),
        ("The ministers met again.", "none"),
        ("Wine prices were frozen.", "none"),
    ],
)
def test_a_pace_is_told_of_talks(sentence: str, pace: str) -> None:
    assert paces_of(f"{LEAD} {sentence}")[-1] == pace


def test_every_sign_and_context_has_a_weight() -> None:
    text = f"{LEAD} They will meet on Friday."
    sentences = split_sentences(text, (Block(0, len(text), "text"),))
    marked = [tokens(each.text) for each in sentences]
    whens = [find_whens(each, WEDNESDAY) for each in marked]

    known = {row["context"] for row in read_rows("timing.csv")}
    known |= {s.name for s in (*read_signs("forward.csv", "kind"), *read_signs("pace.csv", "pace"))}

    assert show_forward(1, sentences, marked, whens).keys() <= known
    assert show_pace(1, sentences, marked).keys() <= known


@pytest.mark.parametrize(
    "unit",
    ["will meet on June 21 and ", "no ", "by the end of ", "talks ", "the next ", "x, ", "in two "],
)
def test_a_long_sentence_takes_no_longer_per_word(unit: str) -> None:
    def seconds(count: int) -> float:
        text = unit * count
        sentences = split_sentences(text, (Block(0, len(text), "text"),))
        marked = [tokens(each.text) for each in sentences]
        before = time.perf_counter()
        find_forwards(sentences, marked, WEDNESDAY, WEDNESDAY)
        find_paces(sentences, marked)
        return time.perf_counter() - before

    short = seconds(500)

    assert seconds(8000) < 60 * max(short, 0.005)
