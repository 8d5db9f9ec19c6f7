"""What a backend's own options may be: values from Python, and text from the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_memory.errors import ConfigurationError
from agent_memory.storage import backend_options
from agent_memory.storage.registry import check_backend_name, create_store


@pytest.mark.parametrize("value", [8, "8", 8.0, " 8 "])
def test_a_whole_number_is_read(value: object) -> None:
    assert backend_options.whole({"size": value}, "size", 4, least=1) == 8


@pytest.mark.parametrize("value", ["abc", 0, -1, 1.5, "1.5", True, "inf", 10**400, [1], "1e99"])
def test_what_is_no_whole_number_is_refused_by_name(value: object) -> None:
    with pytest.raises(
        ConfigurationError, match=r"config.size is .*: give a whole number from 1 on, such as 4"
    ):
        backend_options.whole({"size": value}, "size", 4, least=1)


@pytest.mark.parametrize("value", [1.5, "1.5", "15e-1"])
def test_seconds_are_read(value: object) -> None:
    assert backend_options.seconds({"timeout": value}, "timeout", 5.0) == 1.5


@pytest.mark.parametrize("value", ["soon", 0, "-1", "nan", True, "1e400"])
def test_what_are_no_seconds_is_refused_by_name(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"backend_config.timeout is .*: give seconds, such as 5"):
        backend_options.seconds({"timeout": value}, "timeout", 5.0)


def test_no_seconds_at_all_may_be_meant() -> None:
    assert backend_options.seconds({"wait": "0"}, "wait", 5.0, zero=True) == 0


@pytest.mark.parametrize(
    ("value", "on"), [("off", False), ("No", False), (0, False), ("on", True), (True, True)]
)
def test_a_switch_is_read(value: object, on: bool) -> None:
    assert backend_options.switch({"policed": value}, "policed", not on) is on


@pytest.mark.parametrize("value", ["perhaps", 2, "-1"])
def test_what_is_no_switch_is_refused_by_name(value: object) -> None:
    with pytest.raises(ConfigurationError, match=r"backend_config.policed is .*: give true or false"):
        backend_options.switch({"policed": value}, "policed", False)


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hush\r\n")
    assert backend_options.secret({"password_file": tmp_path / "secret"}, "password_file") == "hush"
    assert backend_options.secret({}, "password_file") is None


@pytest.mark.parametrize(
    ("name", "why"),
    [("none", "no such file"), ("", "is a directory"), ("bytes", "it is no text")],
)
def test_a_secret_that_cannot_be_read_is_said_in_words(tmp_path: Path, name: str, why: str) -> None:
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=f"password_file cannot be read: .*{why}"):
        backend_options.secret({"password_file": tmp_path / name}, "password_file")


@pytest.mark.parametrize(
    ("backend", "options"),
    [
        ("postgres", {"pool_size": 0}),
        ("postgres", {"pool_size": "many"}),
        ("postgres", {"connect_timeout": "-1"}),
        ("postgres", {"graph_from": "1.5"}),
        ("postgres", {"row_level_security": "perhaps"}),
        ("postgres", {"password_file": "/none"}),
        ("redis", {"most_scanned": "all"}),
        ("sqlite", {"busy_timeout": "long"}),
    ],
)
def test_the_backends_check_their_options(backend: str, options: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(options))):
        create_store(backend, "tester", options)


def test_a_backend_s_url_may_end_with_a_line() -> None:
    assert check_backend_name(" redis://h/0\r\n") == "redis://h/0"
    store = create_store("postgresql://h/db\n", "tester", {})
    assert store.settings["url"] == "postgresql://h/db"
