"""What a command and the warm process say to each other.

A request is one frame, whose first byte says what is wanted. Then each side sends single bytes: the worker that it is
READY, the command that it may GO, with four descriptors for the three streams and the working folder, and the worker
what it has begun and how it ENDED. Until GO nothing has happened, so a command that waits no longer is run by whoever
asked, and by nobody else.
"""

RUN, STATUS, STOP = b"R", b"S", b"Q"
"""What a request may be for."""
READY, REFUSED, ENDED = b"r", b"c", b"e"
"""What a worker answers; a byte with the exit code follows the last one."""
GO = b"g"
WRITES, READS_STDIN, PRINTS = b"w", b"i", b"o"
"""What a command has begun that cannot be done a second time."""
STDIN_ENDED = b"z"
"""What a worker says when it has read to the end of the standard input, and waits until it is HEARD."""
HEARD = b"\0"
"""What the command answers, behind the signals that it was sent: Ctrl-C ends both a command and what it reads from,
and a text that was cut off so is not stored."""
CURRENT, STALE = b"+", b"-"
"""What the supervisor tells a worker of each command that it hands over: whether this is still what is installed."""
DESCRIPTORS = 4
LARGEST = 16 << 20
"""Bytes of a request. Linux hands at most two megabytes of arguments and environment to a program."""


def packed(kind: bytes, fields: list[bytes]) -> bytes:
    """Return a request as one frame: its kind, its length, and its fields, each with its length."""
    body = b"".join(len(field).to_bytes(4, "big") + field for field in fields)
    return kind + len(body).to_bytes(4, "big") + body


def unpacked(body: bytes) -> list[bytes]:
    """Return the fields of a frame.

    Raises:
        ValueError: the lengths do not fit together.
    """
    fields = []
    place = 0
    while place < len(body):
        end = place + 4 + int.from_bytes(body[place : place + 4], "big")
        if end > len(body) or place + 4 > len(body):
            raise ValueError("a field ends behind the request")
        fields.append(body[place + 4 : end])
        place = end
    return fields


def texts(values: list[str]) -> bytes:
    """Return texts as one field; none of them may hold a NUL, as nothing does that a program is started with."""
    return "\0".join([*values, ""]).encode("utf-8", "surrogateescape")


def of_texts(field: bytes) -> list[str]:
    """Return the texts of a field."""
    return field.decode("utf-8", "surrogateescape").split("\0")[:-1]
