"""What an interpreter was started with and cannot change any more: it must be the same on both sides."""

import os
import sys

_READ_AT_START = (
    *("PYTHON", "LD_", "DYLD_", "MALLOC_", "GLIBC_", "OMP_", "OPENBLAS_", "MKL_", "KMP_", "ORT_", "RAYON_"),
    *("HF_", "HUGGINGFACE_", "TOKENIZERS_", "TYPER_", "_TYPER_", "COVERAGE_"),
    *("AGENTMEM_SQLITE_DRIVER", "GITHUB_ACTIONS", "FORCE_COLOR", "PY_COLORS", "TERMINAL_WIDTH"),
)
"""Beginnings of variables that a library reads once, as it is loaded."""
_READ_ANEW = frozenset(
    {"PYTHONIOENCODING", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"}
)
_SET_BY_US = frozenset({"ORT_DISABLE_TELEMETRY=1", "HF_HUB_DISABLE_TELEMETRY=1"})
"""What a program that loads the model sets, which hands it on to the commands that it starts."""
_OF_STREAMS = frozenset({"unbuffered", "safe_path", "dont_write_bytecode"})
"""Flags that are taken over with the streams, or that concern only how a program is found."""


def fixed() -> list[str]:
    """Describe this interpreter: which one it is, how it reads text, its flags, and its variables."""
    flags = [name for name in dir(sys.flags) if not name.startswith(("_", "n_", "count", "index"))]
    return [
        sys.version,
        sys.executable,
        os.path.dirname(os.path.abspath(__file__)),  # noqa: PTH100, PTH120
        *(sys.path if sys.flags.safe_path else sys.path[1:]),
        f"{sys.getfilesystemencoding()} {sys.getfilesystemencodeerrors()} {_locale_encoding()}",
        *(f"{name} {getattr(sys.flags, name)}" for name in flags if name not in _OF_STREAMS),
        repr(sys.warnoptions),
        repr(sorted(sys._xoptions.items())),
        *sorted(
            f"{name}={value}"
            for name, value in os.environ.items()
            if name.startswith(_READ_AT_START)
            and name not in _READ_ANEW
            and f"{name}={value}" not in _SET_BY_US
        ),
    ]


def _locale_encoding() -> str:
    import _locale

    return (
        str(_locale.getencoding())
        if hasattr(_locale, "getencoding")
        else str(_locale.nl_langinfo(_locale.CODESET))
    )


def streams() -> "list[str] | None":
    """Describe this program's three streams as they were opened; None if one is not there, or is not what it was."""
    described = []
    for number, stream in enumerate((sys.stdin, sys.stdout, sys.stderr)):
        try:
            if stream.fileno() != number:
                return None
            os.fstat(number)
        except (AttributeError, OSError, ValueError):
            return None
        described.append(f"{stream.encoding} {stream.errors} {int(getattr(stream, 'write_through', False))}")
    return described
