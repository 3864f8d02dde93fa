"""What a page owes to those who cannot see it, or have no mouse: found without a browser."""

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise

VOID = {"meta", "img", "br", "link", "hr", "input", "wbr", "use", "path"}
HEADINGS = ("h1", "h2", "h3", "h4")
Attributes = dict[str, str]


class Element:
    """One element: its tag, attributes, what it stands in, and the words in it."""

    def __init__(self, tag: str, attributes: Attributes, parent: "Element | None") -> None:
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.words = ""

    def iter_parents(self) -> Iterator["Element"]:
        parent = self.parent
        while parent is not None:
            yield parent
            parent = parent.parent

    def is_in(self, tag: str, name: str = "") -> bool:
        """Return whether it stands in such an element, of a class ``name`` if one is given."""
        return any(
            one.tag == tag and (not name or name in one.attributes.get("class", "").split())
            for one in self.iter_parents()
        )


class _Tree(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        element = Element(tag, attributes, self._open[-1] if self._open else None)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID and self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.words += data


def find_faults(page: str) -> list[str]:
    """Return what is wrong, a line each; nothing where a screen reader and a keyboard find their way."""
    elements = _Tree(page).elements
    return [
        *_check_frame(elements),
        *_check_headings(elements),
        *_check_names(elements),
        *_check_links(elements),
    ]


def _check_frame(elements: list[Element]) -> Iterator[str]:
    tags = Counter(element.tag for element in elements)
    for tag in ("title", "main", "nav", "footer", "h1"):
        if tags[tag] != 1 and not (tag == "title" and tags[tag] > 1):  # a figure has a title, too
            yield f"{tags[tag]} <{tag}>"
    if not any(one.tag == "html" and one.attributes.get("lang") for one in elements):
        yield "no language"
    for one in elements:
        if one.tag == "nav" and not one.attributes.get("aria-label"):
            yield "a menu without a name"
        if one.tag == "table" and not (one.is_in("div", "scroll") or one.is_in("figure", "confusion")):
            yield f"a table that cannot scroll by itself: {' '.join(one.words.split())[:40]}"
        if "scroll" in one.attributes.get("class", "").split() and not (
            one.attributes.get("tabindex") == "0" and one.attributes.get("role") == "group"
        ):
            yield "a table that the keyboard cannot scroll"


def _check_headings(elements: list[Element]) -> Iterator[str]:
    headings = [one for one in elements if one.tag in HEADINGS]
    words = Counter(" ".join(one.words.split()) for one in headings)
    yield from (f"a heading twice: {text}" for text, n in words.items() if n > 1)
    yield from ("a heading without words" for text in words if not text)
    levels = [int(one.tag[1]) for one in headings]
    for above, below in pairwise(levels):
        if below > above + 1:
            yield f"h{below} follows h{above}"
    titles = Counter(one.words for one in elements if one.tag == "title" and one.is_in("svg"))
    yield from (f"two figures are called {title}" for title, n in titles.items() if n > 1)


def _check_names(elements: list[Element]) -> Iterator[str]:
    labelled = {one.attributes.get("for") for one in elements if one.tag == "label" and one.words.strip()}
    for one in elements:
        if one.tag == "img" and not one.attributes.get("alt"):
            yield "a picture without words"
        if one.tag in ("input", "select", "textarea") and not _has_name(one, labelled):
            yield "a control without a name"
        if one.attributes.get("class") == "scroll" and not one.attributes.get("aria-label"):
            yield "a scrolling table without a name"
        if one.tag == "svg" and not (
            one.attributes.get("aria-hidden") or one.attributes.get("aria-labelledby")
        ):
            yield "a drawing without words"


def _has_name(control: Element, labelled: set[str | None]) -> bool:
    said = control.attributes
    in_label = any(one.tag == "label" and one.words.strip() for one in control.iter_parents())
    return bool(
        said.get("type") == "hidden" or said.get("aria-label") or in_label or said.get("id") in labelled
    )


def _check_links(elements: list[Element]) -> Iterator[str]:
    names = Counter(one.attributes["id"] for one in elements if "id" in one.attributes)
    yield from (f"an identifier twice: {name}" for name, n in names.items() if n > 1)
    for one in elements:
        target = one.attributes.get("href", "")
        if one.tag == "a" and target.startswith("#") and target[1:] not in names:
            yield f"a link that leads nowhere: {target}"
