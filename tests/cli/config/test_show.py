from __future__ import annotations

from pathlib import Path

import pytest

from agentmem_cli.settings import SETTINGS

from ..running import done


def test_every_setting_with_its_value_and_origin(
    clean_surroundings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done("config", "set", "limit", "3")
    (clean_surroundings / ".agentmem.toml").write_text('tags = ["a", "b"]\n')
    monkeypatch.setenv("AGENTMEM_EMBEDDING_API_KEY", "sk-secret")
    rows = {item["name"]: item for item in done("config", "show", "--origin", "-a", "me", "--json").json}
    assert set(SETTINGS) <= set(rows)
    assert (rows["agent"]["value"], rows["agent"]["origin"]) == ("me", "flag")
    assert (rows["limit"]["value"], rows["limit"]["origin"]) == (3, "user")
    assert (rows["tags"]["value"], rows["tags"]["origin"]) == (["a", "b"], "project")
    assert rows["tags"]["where"] == str(clean_surroundings / ".agentmem.toml")
    assert (rows["embedding.provider"]["origin"], rows["embedding.provider"]["where"]) == (
        "environment",
        "AGENTMEM_EMBEDDING_PROVIDER",
    )
    assert (rows["short_term_ttl"]["value"], rows["short_term_ttl"]["origin"]) == ("1h", "default")
    assert rows["embedding.api_key"]["value"] == "***"
    text = done("config", "show", "--origin").out
    assert "sk-secret" not in text
    assert f"tags\ta, b\tproject\t{clean_surroundings / '.agentmem.toml'}" in text
    assert "enable_decay\ttrue\tdefault" in text


def test_a_password_in_a_url_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMEM_BACKEND", "redis://me:secret@host/0")
    assert "redis://me:***@host/0" in done("config", "show").out
    assert done("config", "get", "backend").out == "redis://me:***@host/0\n"
