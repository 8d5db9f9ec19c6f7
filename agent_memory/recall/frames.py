"""Keeping a memory's text within its frame: it is data, and must not pass for what stands around it.

Every name and every text that goes into a prompt passes here, whatever the format. A frame ends where a line ends,
and what ends a line depends on who reads it: Python, a terminal, a browser and a model each know some more.
"""

from __future__ import annotations

import re
from typing import Final

_LINE_END: Final = re.compile("\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
"""Everything that `str.splitlines` takes for the end of a line."""
_BRACKETS: Final = str.maketrans("[]", "()")
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document may hold, not even written as a reference."""
_HALF: Final = re.compile("[\ud800-\udfff]")
"""Half a character, which no encoding writes."""
LONGEST_NAME: Final = 200
"""Characters of a name in front of a text: it must not take the place of the text."""
UNKNOWN: Final = "\ufffd"


def whole(text: str) -> str:
    """Return a text that every encoding writes: what is half a character is shown as unknown."""
    return text if text.isascii() else _HALF.sub(UNKNOWN, text)


def in_line(text: str) -> str:
    """Return a text on one line, with single spaces."""
    return " ".join(_LINE_END.sub(" ", whole(text)).split())


def as_name(text: str) -> str:
    """Return a name as part of a line, cut where it is so long that it is none."""
    text = in_line(text)
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def in_brackets(text: str) -> str:
    """Return a text on one line, to stand in brackets, which it cannot close."""
    return in_line(text).translate(_BRACKETS)


def in_block(text: str, indent: str, *, gaps: bool = True) -> str:
    """Return a text whose lines, from the second on, are indented, so that none stands where a frame begins.

    Args:
        indent: what stands in front of them.
        gaps: keep empty lines; without them the text is one paragraph.
        text: the text.
    """
    first, *more = _LINE_END.split(whole(text).strip())
    return "\n".join(
        [first, *(indent + line if line.strip() else "" for line in more if gaps or line.strip())]
    )


def in_element(text: str) -> str:
    """Return a text as the content of an XML element; the standard library's own function would load urllib."""
    text = _NOT_XML.sub(UNKNOWN, text)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("\r", "&#13;")  # a parser would read it as the end of a line


def as_attribute(text: str) -> str:
    """Return a text as the value of an XML attribute, in quotes."""
    text = in_element(text).replace('"', "&quot;")
    return '"' + text.replace("\n", "&#10;").replace("\t", "&#9;") + '"'
