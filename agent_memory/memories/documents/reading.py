"""Reading the text of one file, or saying why it holds none."""

from __future__ import annotations

from pathlib import Path

from agent_memory.text.incoming import how_to_convert, not_utf8, with_newlines

LARGEST = 50_000_000
"""Bytes of a file that is read as a document: a book has one million."""


class NoDocumentError(Exception):
    """A file that no text can be taken from; the message completes a sentence that begins with its name."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def read_document(path: str) -> str:
    """Return a file's text, without a byte-order mark, and with newlines alone as line ends and none at its end.

    The line end is the file's, not the text's: a checkout with others is the same document.

    Raises:
        NoDocumentError: it cannot be read, is too large, is not UTF-8 text, or holds nothing.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise NoDocumentError(f"cannot be read ({error.strerror})", "see `ls -l`") from None
    if len(data) > LARGEST:
        raise NoDocumentError(f"is larger than {LARGEST // 1_000_000} MB", "split it")
    try:
        text = with_newlines(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise NoDocumentError(not_utf8(data, error), how_to_convert(data)) from None
    if "\0" in text:
        raise NoDocumentError("is not text (it holds a NUL character)", "leave it out")
    text = text.rstrip("\n")
    if not text.strip():
        raise NoDocumentError("is empty", "leave it out")
    return text
