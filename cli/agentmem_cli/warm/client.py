"""Asking the warm process to run a command on this process's own streams.

Needs nothing that takes long to import: a command that is answered has cost little more than starting Python.
"""

import _signal  # type: ignore[import-not-found]  # `signal` itself takes 5 ms to import
import _socket
import os
import sys

from agentmem_cli.warm import interpreter, wire

_PATIENCE = 0.25
"""Seconds to wait for a worker that is free; a command that runs here takes twice as long."""
_PATIENCE_VARIABLE = "AGENTMEM_WARM_PATIENCE"
_ENDING_PATIENCE = 3.0
"""Seconds that a worker has to end after a signal, which it does at once unless something holds it."""
_STEP = 0.5
_NAMES = ("SIGINT", "SIGTERM", "SIGHUP")
_LEFT = {
    wire.WRITES: (
        "the warm process ended in the middle of this command, and it is not known whether its changes were stored",
        "`agentmem log` shows what was stored",
    ),
    wire.PRINTS: ("the warm process ended in the middle of this command", "run it again"),
    wire.READS_STDIN: ("the warm process ended in the middle of this command", "run it again"),
}


class _Conversation:
    """One command, asked for over one connection."""

    def __init__(self, connection: _socket.socket) -> None:
        self.connection = connection
        self.begun = b""
        """What the command has begun that cannot be done twice."""
        self.signal = 0
        """The signal that ends it."""
        self.went = False

    def forward(self, number: int, _frame: object) -> None:
        """Hand a signal to the worker, which ends as this program would; before it works, end here."""
        if not self.went:
            from agentmem_cli import signals

            signals.end(number)
        self.signal = self.signal or number
        try:  # noqa: SIM105 - contextlib takes a millisecond to import
            self.connection.send(bytes((number,)))
        except OSError:
            pass


def run(path: str, arguments: list[str]) -> int | None:
    """Have the warm process run a command.

    Args:
        path: where the socket lies.
        arguments: the words of the command.

    Returns:
        The exit code; None where it is to be run here.
    """
    streams = interpreter.streams()
    if streams is None or _in_the_background():
        return None
    connection = _connected(path)
    if connection is None:
        return None
    conversation = _Conversation(connection)
    before = _take_signals(conversation)
    code = _ran(conversation, streams, arguments)
    connection.close()
    if code is None:
        for number, handler in before:
            _signal.signal(number, handler)
    return code


def _in_the_background() -> bool:
    """Return whether this program would be stopped if it read from its terminal, as one in another session is not."""
    try:
        return os.isatty(0) and os.tcgetpgrp(0) != os.getpgrp()
    except OSError:
        return False


def _patience() -> float:
    try:
        return float(os.environ.get(_PATIENCE_VARIABLE, _PATIENCE))
    except ValueError:
        return _PATIENCE


def _connected(path: str) -> _socket.socket | None:
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    connection.settimeout(_patience())
    try:
        connection.connect(path)
        if peer_user(connection) == os.getuid():
            return connection
    except OSError:
        pass
    connection.close()
    return None


def peer_user(connection: _socket.socket) -> int | None:
    """Return whose process is at the other end; None where the system does not say."""
    if hasattr(_socket, "SO_PEERCRED"):
        credentials = connection.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
        return int.from_bytes(credentials[4:8], sys.byteorder)
    if sys.platform == "darwin":
        # LOCAL_PEERCRED: a version, then the user.
        return int.from_bytes(connection.getsockopt(0, 1, 76)[4:8], sys.byteorder)
    return None


def _take_signals(conversation: _Conversation) -> list[tuple[int, object]]:
    """Forward what ends this program; what is ignored, as under `nohup`, stays ignored."""
    before = []
    for name in _NAMES:
        number = getattr(_signal, name)
        handler = _signal.getsignal(number)
        if handler is not _signal.SIG_IGN and handler != _signal.SIG_IGN:
            before.append((number, handler))
            _signal.signal(number, conversation.forward)
    return before


def _ran(conversation: _Conversation, streams: list[str], arguments: list[str]) -> int | None:
    connection = conversation.connection
    try:
        connection.sendall(_frame(streams, arguments))
        if connection.recv(1) != wire.READY:
            return None
        conversation.went = True
        _go(connection)
    except OSError:
        conversation.went = False
        return None
    code = _answer(conversation)
    if code is not None:
        return code
    if conversation.signal:
        return 128 + conversation.signal
    for kind, (message, hint) in _LEFT.items():
        if kind in conversation.begun:
            _say(message, hint, arguments)
            return 1
    return None  # it had begun nothing that may not be done twice


def _frame(streams: list[str], arguments: list[str]) -> bytes:
    umask = os.umask(0o077)
    os.umask(umask)
    return wire.packed(
        wire.RUN,
        [
            wire.texts(interpreter.fixed()),
            wire.texts([sys.argv[0], *arguments]),
            b"\0".join(name + b"=" + value for name, value in os.environb.items()),
            wire.texts(streams),
            umask.to_bytes(4, "big"),
            wire.texts(_identity_of_home()),
        ],
    )


def _go(connection: _socket.socket) -> None:
    """Let the worker begin, with the streams and the folder of this process.

    They are not sent before: a worker that hangs would hold the pipe open from which somebody reads this program.
    """
    folder = os.open(".", getattr(os, "O_PATH", os.O_RDONLY) | os.O_CLOEXEC)
    try:
        numbers = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2, folder))
        connection.sendmsg([wire.GO], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, numbers)])
    finally:
        os.close(folder)


def _identity_of_home() -> list[str]:
    """Return where this process sees the agents' files, and which folder that is."""
    path = home()
    return [path, folder_identity(path)]


def folder_identity(path: str) -> str:
    """Return which folder a path leads to, by device and inode; "" for none."""
    try:
        about = os.stat(path)  # noqa: PTH116
    except OSError:
        return ""
    return f"{about.st_dev} {about.st_ino}"


def home() -> str:
    """Return the folder of the agents' files that is used where no setting names another."""
    if folder := os.environ.get("AGENTMEM_HOME"):
        return os.path.expanduser(folder)  # noqa: PTH111
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")  # noqa: PTH111
    return data + "/agentmem"


def _answer(conversation: _Conversation) -> int | None:
    """Wait until the command has ended and return its exit code; None if the worker went without a word."""
    connection = conversation.connection
    connection.settimeout(_STEP)
    waited = 0.0
    answer = b""
    while True:
        try:
            data = connection.recv(64)
        except TimeoutError:
            waited += _STEP if conversation.signal else 0.0
            if waited >= _ENDING_PATIENCE:
                return None  # closing the connection ends it
            continue
        except OSError:
            data = b""
        if not data:
            return None
        answer += data
        if wire.STDIN_ENDED in data.partition(wire.ENDED)[0]:
            try:  # noqa: SIM105 - contextlib takes a millisecond to import
                connection.send(wire.HEARD)
            except OSError:
                pass
        if wire.ENDED in answer[:-1]:
            return answer[answer.index(wire.ENDED) + 1]
        conversation.begun = answer


def _say(message: str, hint: str, arguments: list[str]) -> None:
    """Say what went wrong as every other error is said."""
    from agentmem_cli import errors

    errors.say("failed", message, hint, arguments, 1)
