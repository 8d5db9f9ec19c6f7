from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_memory.errors import ConfigurationError
from agentmem_cli.settings.editing import with_value
from agentmem_cli.settings.files import flat, write_private

FILE = Path("config.toml")
TEXT = """\
# mine
agent = "a # b"  # who
limit = 5

# where it comes from
[embedding]   # the model
provider = "local"
"""


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("agent", "c", TEXT.replace('"a # b"', '"c"')),
        ("limit", 7, TEXT.replace("5", "7")),
        ("tags", ["x", "y"], TEXT.replace("limit = 5\n", 'limit = 5\ntags = ["x", "y"]\n')),
        ("embedding.provider", "dummy", TEXT.replace("local", "dummy")),
        ("embedding.model", "m", TEXT + 'model = "m"\n'),
        ("backend_config.synchronous", "full", TEXT + '\n[backend_config]\nsynchronous = "full"\n'),
        ("limit", None, TEXT.replace("limit = 5\n", "")),
        ("offline", None, TEXT),
    ],
)
def test_one_line_changes_and_the_rest_stays(name: str, value: Any, expected: str) -> None:
    assert with_value(FILE, TEXT, name, value) == expected


def test_an_empty_file_gets_its_first_line() -> None:
    assert with_value(FILE, "", "agent", "x") == 'agent = "x"\n'
    assert with_value(FILE, "", "embedding.provider", "x") == '[embedding]\nprovider = "x"\n'
    assert with_value(FILE, "[embedding]\n", "agent", "x") == 'agent = "x"\n\n[embedding]\n'


def test_a_dotted_name_at_the_top_stays_there() -> None:
    assert (
        with_value(FILE, 'embedding.provider = "a"\n', "embedding.provider", "b")
        == 'embedding.provider = "b"\n'
    )


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ('tags = [\n  "a",\n]  # mine\nlimit = 5\n', "tags", 'tags = "x"  # mine\nlimit = 5\n'),
        ('embedding = {provider = "a"}\n', "embedding.provider", 'embedding = {provider = "x"}\n'),
        ('"tags" = ["a"]\n', "tags", '"tags" = "x"\n'),
        ('tags = """\na"""\n', "tags", 'tags = "x"\n'),
        (
            "[embedding]\na = 1\n\n# next\n[b]\n",
            "embedding.c",
            '[embedding]\na = 1\nc = "x"\n\n# next\n[b]\n',
        ),
    ],
)
def test_whatever_toml_allows_is_changed(text: str, name: str, expected: str) -> None:
    assert with_value(FILE, text, name, "x") == expected


def test_what_cannot_be_changed_by_itself_is_left_to_an_editor() -> None:
    with pytest.raises(ConfigurationError, match="agentmem config edit"):
        with_value(FILE, "embedding = 1\n", "embedding.provider", "x")


def test_a_file_that_is_not_toml_is_not_touched() -> None:
    with pytest.raises(ConfigurationError, match="is not TOML"):
        with_value(FILE, "agent = me", "agent", "x")


texts = st.text(max_size=20)
values = st.one_of(texts, st.integers(0, 10**6), st.booleans(), st.lists(texts, max_size=3))
names = st.sampled_from(["agent", "tags", "embedding.provider", "embedding.base_url", "backend_config.path"])


# In a fresh clone Hypothesis first works out which characters there are: a second or more, while others run.
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(names, st.one_of(st.none(), values)), max_size=8))
def test_whatever_is_set_reads_back(steps: list[tuple[str, Any]]) -> None:
    text, expected = "# first\n", {}
    for name, value in steps:
        text = with_value(FILE, text, name, value)
        expected[name] = value
        expected = {key: item for key, item in expected.items() if item is not None}
        assert flat(tomllib.loads(text)) == expected
        assert text.startswith("# first\n")


def test_a_config_file_is_private_and_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "new" / "real.toml", tmp_path / "config.toml"
    link.symlink_to(target)
    write_private(link, "agent = 'a'\n")
    assert link.is_symlink()
    assert target.read_text() == "agent = 'a'\n"
    assert target.stat().st_mode & 0o777 == 0o600
    assert target.parent.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in target.parent.iterdir()] == ["real.toml"]
