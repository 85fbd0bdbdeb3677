"""Around the flow: the command line, a thin layer over the functions that a notebook calls, too.

Each command imports what it needs when it runs, so that `tradegap --help` answers at once. A
fault of the user's is printed as it stands, one line each, and the exit status is 1.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tradegap.errors import DataError, PageError, SpecError, TradegapError

if TYPE_CHECKING:
    import pandas as pd

    from tradegap.cluster import ClusterWorkers
    from tradegap.coding.chat import Answers
    from tradegap.specs import Spec

__all__ = ["main"]

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
# A file that is not there is refused like any other document, and the rest go on.
ANY_FILE = click.Path(path_type=Path)


published_option = click.option(
    "--published",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=lambda context, option, given: given.date() if given else None,
    metavar="YYYY-MM-DD",
    help="Day of publication, where the document does not tell.",
)


dask_option = click.option(
    "--dask", metavar="ADDRESS", help="Have the workers of a Dask cluster do it: tcp://HOST:PORT."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="tradegap", message="tradegap %(version)s")
def cli() -> None:
    """How far apart are the two sides, on what, and is it closing?"""


@cli.command()
@click.argument("paths", nargs=-1, required=True, type=ANY_FILE)
@published_option
@click.option("--format", "form", type=click.Choice(["jsonl", "csv", "table"]), default="jsonl")
@click.option("--coder", type=click.Choice(["cues", "chat"]), default="cues", help="Who codes.")
@click.option("--endpoint", metavar="URL", help="Chat endpoint to ask, e.g. http://127.0.0.1/v1.")
@click.option("--model", metavar="NAME", help="Its model.")
@dask_option
def code(
    paths: tuple[Path, ...],
    published: date | None,
    form: str,
    coder: str,
    endpoint: str | None,
    model: str | None,
    dask: str | None,
) -> None:
    """Print the signals of documents, one a line.

    PATHS are documents (.txt, .html, .md, .jsonl) or folders of them. They are coded as they are
    read, so that there may be any number. The exit status is 1 where one was refused or, not being
    English, was not coded. With --coder chat a chat model codes: the documents' sentences go to
    --endpoint, with the key of TRADEGAP_CHAT_KEY; answers are kept in build/chat/ and used again
    without a connection. With --dask they are coded in batches on a cluster, to the same lines.
    """
    from tradegap.coding import find_skipped, find_uncoded, iter_signals, to_json
    from tradegap.documents import Document, iter_documents

    faults = 0

    def readable() -> Iterator[Document]:
        for each in iter_documents(paths, published=published):
            if isinstance(each, str):
                lines = [each]
            else:
                lines = find_uncoded([each])
                tell([], find_skipped([each] if not lines else []))
                yield each
            tell(lines)

    def tell(lines: list[str], warnings: Sequence[str] = ()) -> None:
        nonlocal faults
        faults += len(lines)
        for line in [*lines, *warnings]:
            click.echo(line, err=True)

    def coded_there(address: str) -> Iterator[pd.DataFrame]:
        from tradegap import cluster

        with cluster.join(address) as client:
            documents = iter_documents(paths, published=published)
            for batch in cluster.code_documents(client, documents):
                tell(batch.faults, batch.warnings)
                yield batch.signals

    answers = _answers(endpoint, model) if coder == "chat" else None
    if answers is None and (endpoint or model):
        raise DataError("--endpoint, --model: are of the chat coder; add --coder chat")
    if answers and dask:
        raise DataError("--dask: is of the coder by cues; leave out --coder chat")
    if answers is None:
        batches = coded_there(dask) if dask else iter_signals(readable())
    else:
        from tradegap.coding.chat import ask_chat

        signals, dropped, unanswered = ask_chat(list(readable()), answers)
        batches = iter([signals])
        tell(unanswered, dropped)
    shown = []
    for number, signals in enumerate(batches):
        if form == "jsonl":
            for signal in signals.to_dict("records"):
                click.echo(to_json(signal))
        elif form == "csv":
            table = signals.to_csv(index=False, header=number == 0, lineterminator="\n")
            click.echo(table, nl=False)
        else:
            shown.append(signals)
    if form == "table":
        click.echo(_as_text(shown))
    if faults:
        sys.exit(1)


@cli.command()
@click.argument("slug")
@click.argument("files", nargs=-1, required=True, type=ANY_FILE)
@published_option
def add(slug: str, files: tuple[Path, ...], published: date | None) -> None:
    """Take documents into the private folder of a negotiation.

    The exit status is 1 where one was refused. One that is not English is kept, with a warning.
    """
    from tradegap.coding import find_uncoded
    from tradegap.documents import add_documents
    from tradegap.talks import list_negotiations

    known = list_negotiations()
    if slug not in known:
        raise DataError(f"data/talks/{slug}: no negotiation; there are {', '.join(known)}")
    folder = _root() / "data" / "talks" / slug
    added, refusals = add_documents(folder, files, published=published)
    for document in added:
        click.echo(f"added {document.name}, published {document.published}")
    for warning in find_uncoded(added):
        click.echo(warning, err=True)
    _refuse(refusals)


@cli.command(options_metavar="--parties NAME NAME... [OPTIONS]")
@click.argument("slug")
@click.option("--parties", is_flag=True, help="The names that follow are the parties.")
@click.argument("names", nargs=-1, metavar="")
@click.option("--title", help="The title of its pages. [default: Talks between the parties]")
@click.option(
    "--opened",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="The day on which the talks opened. [default: today]",
)
@click.option("--issues", default="", metavar="CODES", help="Of data/issues.csv, joined by commas.")
def new(
    slug: str,
    parties: bool,
    names: tuple[str, ...],
    title: str | None,
    opened: datetime | None,
    issues: str,
) -> None:
    """Begin a negotiation: a commented folder data/talks/SLUG, whose page builds at once.

    tradegap new atlantic-2026 --parties "United Kingdom" "United States" --issues autos,digital
    """
    from tradegap.new import begin_talks

    if names and not parties:
        raise click.UsageError(f"Got '{names[0]}' after the slug; parties come after --parties")
    folder = begin_talks(
        slug,
        names,
        title=title or "",
        opened_on=opened.date() if opened else None,
        issues=[code.strip() for code in issues.split(",") if code.strip()],
    )
    click.echo(f"{folder.relative_to(_root())}: begun; README.md in it says what goes where")
    click.echo(f"next: tradegap add {slug} FILE..., then tradegap build gap_evolution/{slug}")


@cli.command("import-signals")
@click.argument("slug")
@click.argument("files", nargs=-1, required=True, type=ANY_FILE)
@click.option("--coder", required=True, metavar="NAME", help="Who coded: small letters, hyphens.")
def import_signals(slug: str, files: tuple[Path, ...], coder: str) -> None:
    """Take signals that another coder found into a negotiation.

    FILES are JSON Lines as `tradegap code` prints them, or CSV. Each signal is held to the document
    that it is about. The exit status is 1 where one was refused; the others are in.
    """
    from tradegap.imports import import_signals as take

    signals, refusals = take(slug, files, coder=coder)
    count, texts = len(signals), signals["sha256"].nunique()
    click.echo(
        f"{coder}: {count} signal{'s' * (count != 1)} on {texts} document{'s' * (texts != 1)}"
    )
    _refuse(refusals)


engine_option = click.option(
    "--engine",
    type=click.Choice(["fork", "kernel"]),
    help="How notebooks are run: in a fork of one warm process, or in a stock Jupyter kernel each. "
    "Both give the same bytes. [default: fork, on Linux]",
)
jobs_option = click.option(
    "--jobs", type=click.IntRange(min=1), help="Pages at a time. [default: one per processor]"
)


@cli.command()
@click.argument("pages", nargs=-1)
@click.option("--force", is_flag=True, help="Build pages that are current, too.")
@jobs_option
@engine_option
@click.option(
    "--timeout",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="How long a page may take, in place of what its spec says (120).",
)
@click.option("--keep-going/--fail-fast", default=True, help="After a failure. [default: keep on]")
@click.option("--standalone", is_flag=True, help="Each as one file, too: build/standalone/.")
@click.option("-q", "--quiet", is_flag=True, help="Tell of failures only.")
@dask_option
def build(
    pages: tuple[str, ...],
    force: bool,
    jobs: int | None,
    engine: str | None,
    timeout: int | None,
    keep_going: bool,
    standalone: bool,
    quiet: bool,
    dask: str | None,
) -> None:
    """Build the pages whose inputs changed, into reports/.

    A PAGE is named as status lists it: gap_evolution/us-japan-2019; a spec that is for each of many
    names all its pages: gap_evolution/each. A page that fails leaves what was
    published. The exit status is 0 where every page is good; 1 where one failed, a spec is at
    fault or another build is under way; 2 for a wrong option; 130 after Ctrl-C.
    """
    from tradegap.build import build_pages
    from tradegap.progress import Progress
    from tradegap.site import build_site
    from tradegap.specs import read_specs
    from tradegap.standalone import write_standalone

    if dask and engine == "kernel":
        raise click.UsageError("--engine kernel: not with --dask, whose workers fork their pages")
    root = _root()
    specs = read_specs(root)
    chosen = _choose(specs, pages)
    progress = Progress(
        len(chosen),
        "build/logs",
        is_quiet=quiet,
        is_terminal=sys.stderr.isatty(),
    )
    try:
        with hire_there(dask) if dask else nullcontext() as workers:
            results = build_pages(
                chosen,
                root=root,
                force=force,
                fail_fast=not keep_going,
                jobs=jobs or (workers.size() if workers else None),
                engine=engine,
                timeout_seconds=timeout,
                workers=workers,
                report=progress.report,
            )
    except KeyboardInterrupt:
        progress.clear()
        build_site(specs, root=root)
        raise
    build_site(specs, root=root, results=results)
    for result in results:
        if result.status == "skipped":
            progress.counts["skipped"] = progress.counts.get("skipped", 0) + 1
    progress.close()
    good = [result.page for result in results if result.status in ("built", "current")]
    for page in good if standalone else []:
        click.echo(write_standalone(page, out=root / "reports", folder=root / "build/standalone"))
    if len(good) < len(results):
        sys.exit(1)


@contextmanager
def hire_there(address: str) -> Iterator[ClusterWorkers]:
    """Give the workers of a cluster."""
    from tradegap.cluster import ClusterWorkers, join

    with join(address) as client:
        yield ClusterWorkers(client)


@cli.command()
@click.argument("pages", nargs=-1)
def status(pages: tuple[str, ...]) -> None:
    """List the pages: current, stale, failed or never built.

    It compares by content with what each page was made of, which stands beside it in reports/. The
    exit status is 0 whatever it finds.
    """
    from tradegap.build import judge_pages
    from tradegap.specs import read_specs

    root = _root()
    for state in judge_pages(_choose(read_specs(root), pages), root=root):
        since = f" since {state.since}: {state.reason}" if state.status == "failed" else ""
        click.echo(f"{state.status:<12}{state.page}{since}")


@cli.command()
@click.argument("page")
def explain(page: str) -> None:
    """Say why a page would be built anew, or would not, naming the files."""
    from tradegap.build import explain_page
    from tradegap.specs import read_specs

    root = _root()
    for spec in _choose(read_specs(root), (page,)):
        click.echo("\n".join(explain_page(spec, root=root)))


@cli.command()
@click.argument("before", default="HEAD")
@click.argument("after", default="reports")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write what changed as a page, too.",
)
@click.option("--exit-code", is_flag=True, help="Exit with 3 where anything changed.")
def diff(before: str, after: str, page: Path | None, exit_code: bool) -> None:
    """Say what a reader would find changed: figures, charts, text.

    BEFORE and AFTER are folders as reports/ is one, or git revisions. Without them: what was last
    committed, and reports/. The exit status is 0 whether anything changed or not (but see
    --exit-code), and 1 where a side cannot be read.
    """
    from tradegap import diff as differ
    from tradegap.publish import replace

    root = _root()
    sides = [str(root / each) if each == "reports" else each for each in (before, after)]
    with differ.open_side(sides[0], root) as old, differ.open_side(sides[1], root) as new:
        diffs, same = differ.compare_sides(old, new)
    if page:
        try:
            replace(page, differ.render_diff(diffs, same, before=before, after=after).encode())
        except OSError as error:
            raise DataError(f"{page}: cannot be written ({error.strerror})") from None
    click.echo("\n".join(differ.tell_diff(diffs, same)))
    if diffs and exit_code:
        sys.exit(3)


@cli.command()
@click.argument("page")
@click.option("--paper", type=click.Choice(["a4", "letter"]), default="a4", show_default=True)
def pdf(page: str, paper: str) -> None:
    """Print a published page to build/pdf/, with the Chromium of this machine."""
    from tradegap.browser import print_page
    from tradegap.specs import read_specs

    root = _root()
    (spec,) = _choose(read_specs(root), (page,))
    html = root / "reports" / f"{spec.page}.html"
    if not html.is_file():
        raise PageError(f"reports/{spec.page}.html: not there; run tradegap build {spec.page}")
    path = root / "build" / "pdf" / f"{spec.page}.pdf"
    print_page(html, path, paper=paper)
    click.echo(path)


@cli.command()
def pictures() -> None:
    """Take the pictures of the docs anew, of the pages as they are published."""
    from tradegap.browser import take_pictures

    for name in take_pictures(_root()):
        click.echo(f"docs/{name}")


@cli.command()
@click.argument("pages", nargs=-1)
@engine_option
@jobs_option
def verify(pages: tuple[str, ...], engine: str | None, jobs: int | None) -> None:
    """Rebuild pages, all unless some are named, from nothing and compare with what is published."""
    from tradegap.specs import read_specs
    from tradegap.verify import verify_pages

    root = _root()
    specs = _choose(read_specs(root), pages) if pages else []
    faults = verify_pages(root, specs, engine=engine, jobs=jobs)
    which = f"each of {len(specs)} pages" if pages else "every page"
    _finish(faults, f"{which} is what its inputs give, byte for byte")


@cli.command()
def check() -> None:
    """Validate the data, the page specs and the notebooks."""
    from tradegap.verify import check_inputs

    _finish(check_inputs(_root()), "data, page specs and notebooks are sound")


@cli.group()
def fetch() -> None:
    """Bring in trade statistics or list news, from services that are reached by a network.

    No build needs it. Keys are read from the environment (TRADEGAP_CENSUS_KEY,
    TRADEGAP_COMTRADE_KEY), never kept and never printed.
    """


base_url_option = click.option(
    "--base-url",
    metavar="URL",
    default="",
    help="Another address than the service's own: a mirror.",
)


@fetch.command("trade")
@click.argument("slug")
@click.option("--source", type=click.Choice(["census", "comtrade", "eurostat"]), required=True)
@click.option("--from", "first", metavar="YYYY-MM", default="", help="First month.")
@click.option("--to", "last", metavar="YYYY-MM", default="", help="Last month.")
@base_url_option
def fetch_trade(slug: str, source: str, first: str, last: str, base_url: str) -> None:
    """Fetch the trade between the parties of a negotiation into data/trade/.

    From a year before the talks to their end, in the form of the files there, with the day as its
    vintage and the hash of each answer. Where an answer does not stand, nothing is changed.
    """
    from tradegap.fetch import fetch_trade as take

    for line in take(slug, source, first=first, last=last, base_url=base_url):
        click.echo(line)


@fetch.command("news")
@click.argument("slug")
@click.option("--source", type=click.Choice(["gdelt", "rss"]), required=True)
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD")
@base_url_option
def fetch_news(
    slug: str, source: str, first: datetime | None, last: datetime | None, base_url: str
) -> None:
    """Print documents that may be about a negotiation, as CSV: day, title, publisher, link.

    For rss, --base-url is the feed. Nothing is kept and no text is taken; what cannot be listed
    has a line on stderr.
    """
    from tradegap.fetch import find_news

    rows, refused = find_news(
        slug,
        source,
        first=first.date() if first else None,
        last=last.date() if last else None,
        base_url=base_url,
    )
    for line in refused:
        click.echo(line, err=True)
    click.echo(rows.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d"), nl=False)


@cli.command()
def score() -> None:
    """Score the coder on the development sets beside the repository."""
    from tradegap.coding.score import run_score

    shared = _root().parent / "shared"
    if not (shared / "gold").is_dir():
        raise DataError("../shared/gold: not there; the development sets are kept apart from here")
    click.echo(run_score(shared))


@cli.command()
def audit() -> None:
    """Print how reliable the coder is, as scored on talks held out."""
    from tradegap.audit import open_audit, render_audit

    click.echo(render_audit(open_audit()))


@cli.command()
def dictionary() -> None:
    """Print the data dictionary: every declared table and column, as Markdown."""
    from tradegap.tables import render_dictionary

    click.echo(render_dictionary(), nl=False)


@cli.command()
@click.argument("file", type=FILE)
@published_option
@click.option("--talks", help="The negotiation it belongs to, where the story does not tell.")
def brief(file: Path, published: date | None, talks: str | None) -> None:
    """Build a brief of one document's signals into build/briefs/ and print its path.

    The exit status is 1 where an article was refused or, not being English, was not coded; where
    that leaves none, no page is built.
    """
    from tradegap.build import build_pages
    from tradegap.coding import find_uncoded
    from tradegap.documents import read_documents
    from tradegap.specs import Spec
    from tradegap.standalone import write_standalone

    documents, refusals = read_documents([file], published=published)
    uncoded = find_uncoded(documents)
    if len(uncoded) == len(documents):
        _refuse(refusals + uncoded)

    root = _root()
    parameters = {
        "story": str(file.resolve()),
        "published": published.isoformat() if published else "",
        "talks": talks or "",
    }
    spec = Spec(
        page=file.stem,
        notebook=root / "notebooks" / "round_brief.ipynb",
        title=f"Brief of {file.name}",
        question="What does it say of the gap, who says it, and what comes next?",
        parameters=parameters,
    )
    out = root / "build" / "briefs"
    work = out / ".work" / spec.page
    (result,) = build_pages([spec], root=root, out=out, build=work, force=True)
    if result.status == "failed":
        raise PageError(f"{file}: {result.reason}; the log is {work}/logs/{spec.page}.log")
    # One file, to look at and to send.
    click.echo(write_standalone(spec.page, out=out, folder=out, most_bytes=None))
    _refuse(refusals + uncoded)


def _answers(endpoint: str | None, model: str | None) -> Answers:
    from tradegap.coding.chat import Answers, name_coder
    from tradegap.coding.endpoint import connect

    if not model:
        raise DataError("--model: is not given; it takes a name as the endpoint knows it")
    name_coder(model)
    key = os.environ.get("TRADEGAP_CHAT_KEY", "")
    return Answers(model, _root() / "build" / "chat", connect(endpoint, key) if endpoint else None)


def _root() -> Path:
    from tradegap.project import project_root

    return project_root()


def _choose(specs: list[Spec], pages: tuple[str, ...]) -> list[Spec]:
    wanted = [re.sub(r"^reports/|\.(yml|html)$", "", page) for page in pages]
    known = [spec.page for spec in specs]
    made_by = {spec.source.removeprefix("reports/").removesuffix(".yml") for spec in specs}
    if unknown := [page for page in wanted if page not in {*known, *made_by}]:
        raise SpecError(f"there is no page {unknown[0]}; there are {', '.join(known) or 'none'}")
    return [
        spec
        for spec in specs
        if not wanted
        or spec.page in wanted
        or spec.source.removeprefix("reports/").removesuffix(".yml") in wanted
    ]


def _as_text(frames: list[pd.DataFrame]) -> str:
    import pandas as pd

    from tradegap.tables import empty

    short = ["direction", "issues", "party", "speaker", "pace", "forward_date", "text"]
    whole = pd.concat(frames or [empty("signals")], ignore_index=True)
    return str(whole[short].to_string(index=False, max_colwidth=70))


def _refuse(refusals: list[str]) -> None:
    if refusals:
        raise TradegapError(refusals)


def _finish(faults: list[str], good: str) -> None:
    if faults:
        raise TradegapError(faults)
    click.echo(good)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; print a user's mistake as its lines and exit with 1."""
    try:
        _run(lambda: cli.main(arguments, prog_name="tradegap", standalone_mode=False))
    except TradegapError as error:
        for fault in error.faults:
            click.echo(fault, err=True)
        sys.exit(1)


def _run(command: Callable[[], object]) -> None:
    try:
        command()
        sys.stdout.flush()
    except click.exceptions.Exit as ended:
        sys.exit(ended.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("tradegap: interrupted; what was published before stays", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader (head, less) has left; keep Python from complaining as it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)


if __name__ == "__main__":
    main()
