"""Beside the charts: an SVG in, the same picture in a fraction of the bytes out.

Vega writes each mark with all its attributes, each tick as an element, each coordinate in full.
Here what repeats becomes a class, ticks of one look become one path, coordinates become relative
and are rounded to a tenth of a pixel; what draws nothing goes. The classes that the page's script
looks for stay.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from hashlib import sha256

from lxml import etree

__all__ = ["compact"]

LOOK = frozenset(
    {
        *("fill", "fill-opacity", "opacity", "stroke", "stroke-dasharray", "stroke-opacity"),
        *("stroke-width", "font-size", "font-style", "font-weight", "text-anchor"),
    }
)
# What says nothing: it is the default, or it is told elsewhere.
IDLE = {"opacity": "1", "stroke-dasharray": "1,0", "stroke-miterlimit": "10"}
NOISE = ("aria-roledescription", "aria-hidden", "font-family", "pointer-events", "version")
LONG = 24  # points: a line or a band over time, on which nobody sees half a pixel
HOOKS = frozenset({"root", "role-scope", "role-axis-domain"})  # read by the page's script
NUMBERS = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "A": 7, "Z": 0}
TOKENS = re.compile(r"[MLHVCAZmlhvcaz]|-?\d*\.?\d+(?:e-?\d+)?")


def compact(svg: str, *, colour: Callable[[str], str] = str) -> str:
    """Return an SVG that draws the same, its colours as `colour` says.

    A mark with a label gets it as a title. Classes and ids carry a hash of the SVG, so that two on
    a page do not share them.
    """
    mark = "c" + sha256(svg.encode()).hexdigest()[:5]
    root = etree.fromstring(re.sub(r' xmlns(?::xlink)?="[^"]*"', "", svg).replace("xlink:", ""))
    for element in root.iter():
        clean(element, mark, colour)
    for element in [*root.iter("path")]:
        d, parent = element.get("d"), element.getparent()
        is_bare = "background" in element.get("class", "") and not LOOK & {*element.attrib}
        if not d or is_bare:
            parent.remove(element)
            continue
        element.attrib.pop("class", None)
        move_in(element)
        if label := element.attrib.pop("aria-label", ""):
            title = etree.Element("title")
            title.text = label
            parent.insert(parent.index(element), title)
    for group in [*root.iter("g")]:
        join_strokes(group)
    for group in reversed([*root.iter("g")]):
        unwrap(group)
    share_looks(root, mark)
    text: str = etree.tostring(root, encoding="unicode")
    return text


def clean(element: etree._Element, mark: str, colour: Callable[[str], str]) -> None:
    """Take away what says nothing, and give ids and links their place on the page."""
    given = element.attrib
    for name in (*NOISE, "role", *(["aria-label"] if element.tag != "path" else [])):
        given.pop(name, None)
    for name, value in IDLE.items():
        if given.get(name) == value:
            del given[name]
    for name in ("fill", "stroke"):
        if name in given:
            given[name] = colour(given[name])
    if element.tag == "a":
        # The renderer resolves links against an address of its own; ours point into a page.
        given["href"] = re.sub(r"^[^#]*?/(?=#|\.\./)", "", given["href"])
    if "id" in given:
        given["id"] = f"{mark}-{given['id']}"
    if "clip-path" in given:
        given["clip-path"] = given["clip-path"].replace("url(#", f"url(#{mark}-")
    if element.tag != "path" and "class" in given:
        kept = [name for name in given["class"].split() if name in HOOKS]
        given.pop("class")
        if kept:
            given["class"] = " ".join(kept)
    if element.tag == "text":
        element.text = (element.text or "").strip()
        if at := re.fullmatch(r"translate\((-?[\d.]+),(-?[\d.]+)\)", given.get("transform", "")):
            del given["transform"]
            given["x"], given["y"] = (tenth(float(number)) for number in at.groups())
    if "transform" in given:
        given["transform"] = re.sub(
            r"-?\d+\.\d+", lambda number: tenth(float(number[0])), given["transform"]
        )


def tenth(number: float) -> str:
    """Return a number to a tenth, as short as it goes.

    >>> tenth(0.04), tenth(-0.52), tenth(12.0)
    ('0', '-.5', '12')
    """
    text = f"{number:.1f}".removesuffix(".0").replace("-0.", "-.").removeprefix("-0") or "0"
    return text.removeprefix("0") if text.startswith("0.") else text


def move_in(path: etree._Element) -> None:
    """Write a path relative and rounded, its place in its numbers instead of a transform."""
    x = y = 0.0
    at = re.fullmatch(
        r"translate\((-?[\d.]+)(?:,(-?[\d.]+))?\)", path.get("transform", "translate(0,0)")
    )
    if at:
        x, y = float(at[1]), float(at[2] or 0)
        path.attrib.pop("transform", None)
    path.set("d", shorten(path.get("d", ""), x, y))


def shorten(d: str, x: float = 0, y: float = 0) -> str:
    """Return path data moved by some pixels, relative, in tenths of a pixel; in pixels where long.

    The sums are kept in whole tenths, so that rounding never adds up along a line.

    >>> shorten("M0,18.31L6.5,31.8L10.5,31.8Z", 1, 0)
    'M1 18.3l6.5 13.5h4z'
    """
    out: list[str] = []
    now, start = [0, 0], [0, 0]  # in tenths
    commands = read_path(d)
    grain = 10 if len(commands) > LONG else 1
    for command, numbers in commands:
        name = command.upper()
        if name == "Z":
            out.append("z")
            now = [*start]
            continue
        is_relative = command.islower()
        base = [now[0] / 10, now[1] / 10] if is_relative else [x, y]
        if name == "H":
            end = [round((numbers[0] + base[0]) * 10), now[1]]
        elif name == "V":
            end = [now[0], round((numbers[0] + base[1]) * 10)]
        else:
            end = [round((numbers[-2] + base[0]) * 10), round((numbers[-1] + base[1]) * 10)]
        end = [round(each / grain) * grain for each in end]
        step = [end[0] - now[0], end[1] - now[1]]
        if name == "M":
            out.append("M" + pair(end))
            start = [*end]
        elif name in "LHV":
            if step[0] and step[1]:
                out.append("l" + pair(step))
            elif step[0]:
                out.append("h" + tenth(step[0] / 10))
            elif step[1]:
                out.append("v" + tenth(step[1] / 10))
        elif name == "A":
            flags = " ".join(tenth(number) for number in numbers[:5])
            out.append(f"a{flags} {pair(step)}")
        else:
            bends = [round((numbers[n] + base[n % 2]) * 10) - now[n % 2] for n in range(4)]
            out.append("c" + " ".join([pair(bends[:2]), pair(bends[2:]), pair(step)]))
        now = end
    # A command that repeats needs no letter, and a minus no space before it.
    text, last = "", ""
    for each in out:
        text += f" {each[1:]}" if each[0] == last and last in "lhvc" else each
        last = each[0]
    return text.replace(" -", "-")


def read_path(d: str) -> list[tuple[str, list[float]]]:
    """Return a path's commands, each with its numbers."""
    tokens = TOKENS.findall(d)
    commands: list[tuple[str, list[float]]] = []
    place = 0
    command = ""
    while place < len(tokens):
        if tokens[place].isalpha():
            command = tokens[place]
            place += 1
        elif command in "Mm":
            command = "L" if command == "M" else "l"
        count = NUMBERS[command.upper()]
        commands.append((command, [float(each) for each in tokens[place : place + count]]))
        place += count
    return commands


def pair(tenths: list[int]) -> str:
    """Return a point given in tenths."""
    return f"{tenth(tenths[0] / 10)} {tenth(tenths[1] / 10)}"


def join_strokes(group: etree._Element) -> None:
    """Make one path of the lines and outlines of a group that look alike and lead nowhere."""
    if "role-axis-domain" in group.get("class", ""):
        return
    firsts: dict[tuple[tuple[str, str], ...], etree._Element] = {}
    for each in list(group):
        if each.tag == "line":
            x, y = (float(n) for n in re.findall(r"-?[\d.]+", each.get("transform", "0 0")))
            ends = float(each.get("x2", 0)), float(each.get("y2", 0))
            d = shorten(f"M0,0l{ends[0]},{ends[1]}", x, y)
        elif each.tag == "path" and each.get("fill", "none") == "none":
            before = each.getprevious()
            if before is not None and before.tag == "title":
                continue
            d = each.get("d", "")
        else:
            continue
        look = {name: value for name, value in each.attrib.items() if name in LOOK}
        if not each.get("fill"):
            look.pop("fill", None)
        key = tuple(sorted(look.items()))
        if key in firsts:
            firsts[key].set("d", firsts[key].get("d", "") + d)
            group.remove(each)
        else:
            path = etree.Element("path", look | {"d": d})
            group.replace(each, path)
            firsts[key] = path


def unwrap(group: etree._Element) -> None:
    """Take a group away that holds nothing, or that changes nothing of what it holds."""
    if group.get("transform") in ("translate(0,0)", "translate(0)"):
        del group.attrib["transform"]
    parent = group.getparent()
    if not len(group):
        parent.remove(group)
    elif not group.attrib:
        place = parent.index(group)
        for child in reversed(list(group)):
            parent.insert(place + 1, child)
        parent.remove(group)


def share_looks(root: etree._Element, mark: str) -> None:
    """Give elements that look alike a class, where that is shorter."""
    looks: Counter[str] = Counter()
    of: dict[etree._Element, str] = {}
    for element in root.iter():
        if look := ";".join(f"{n}:{v}" for n, v in element.attrib.items() if n in LOOK):
            of[element] = look
            looks[look] += 1
    names = {
        look: f"{mark}{number}"
        for number, (look, count) in enumerate(looks.most_common())
        if count * (len(look) - 16) > len(look) + 12
    }
    for element, look in of.items():
        if look in names:
            for name in LOOK & {*element.attrib}:
                del element.attrib[name]
            element.set("class", " ".join([*element.get("class", "").split(), names[look]]))
    if names:
        style = etree.Element("style")
        style.text = "".join(f".{name}{{{look}}}" for look, name in names.items())
        root.insert(0, style)
