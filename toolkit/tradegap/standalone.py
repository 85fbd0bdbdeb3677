"""Last stage: a published page in, one file with all of it inside out, to send and to keep.

Its figures lie in it (packed), its script too, each named by its hash in the page's policy; links
to other pages, which the reader of one file does not have, are written as plain words.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from html import unescape
from pathlib import Path

from tradegap import publish
from tradegap.errors import PageError
from tradegap.pages import TEMPLATES

__all__ = ["join_parts", "write_standalone"]

LIMIT_BYTES = 1_500_000


def write_standalone(
    page: str, *, out: Path, folder: Path, most_bytes: int | None = LIMIT_BYTES
) -> Path:
    """Write a published page as one file, and return its path; refuse one too large to send."""
    html, figures = (out / f"{page}{suffix}" for suffix in (".html", ".csv"))
    joined = join_parts(
        html.read_text(encoding="utf-8"),
        script=(TEMPLATES / "live.js").read_text(encoding="utf-8"),
        figures={figures.name: figures.read_bytes()} if figures.is_file() else {},
    ).encode()
    if most_bytes and len(joined) > most_bytes:
        raise PageError(
            f"reports/{page}.html: {len(joined) / 1e6:.1f} MB as one file; it takes at most"
            f" {most_bytes / 1e6} MB: publish fewer figures"
        )
    path = folder / f"{page}.html"
    publish.replace(path, joined)
    return path


def join_parts(html: str, *, script: str, figures: dict[str, bytes]) -> str:
    """Return a page with its script and figures in it, under a policy that names all that may run.

    >>> page = '<script defer="" src="../assets/live.js"></script><a href="../b.html">b</a></body>'
    >>> join_parts(page, script="go()", figures={}).splitlines()
    ['<span>b</span><script>go()</script>', '</body>']
    """
    html = re.sub(r'<script defer="" src="[^"]*"></script>\n?', "", html, count=1)
    for name, content in figures.items():
        packed = base64.b64encode(gzip.compress(content, mtime=0)).decode()
        html = re.sub(
            rf'<a (?=[^>]*download)[^>]*href="{re.escape(name)}"[^>]*>',
            f'<a download="{name}.gz" href="data:application/gzip;base64,{packed}">',
            html,
        )
    html = re.sub(
        r'<a (?:[^>]*\s)?href="(?!#|https?:|data:|mailto:)[^"]*"[^>]*>(.*?)</a>',
        r"<span>\1</span>",
        html,
        flags=re.DOTALL,
    )
    html = html.replace("</body>", f"<script>{script}</script>\n</body>", 1)
    ruled = f'content="{policy(html)}"'
    return re.sub(r'content="default-src[^"]*"', lambda _: ruled, html, count=1)


def policy(html: str) -> str:
    """Return the policy of a page that is one file: its script and its styles, by their hashes."""
    scripts = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    styles = re.findall(r"<style>(.*?)</style>", html, flags=re.DOTALL)
    inline = map(unescape, re.findall(r'\sstyle="([^"]*)"', html))
    shown = dict.fromkeys([*styles, *inline])
    return "; ".join(
        [
            "default-src 'none'",
            " ".join(["script-src", *map(named, scripts)]),
            " ".join(["style-src", "'unsafe-hashes'", *map(named, shown)]),
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def named(text: str) -> str:
    """Return the hash by which a policy names a script or style.

    >>> named("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
