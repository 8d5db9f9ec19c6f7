"""`--offline`: what would use the network is refused with its own exit code, before anything is asked."""

from __future__ import annotations

import pytest

from .running import done, run


@pytest.mark.parametrize(
    "backend",
    [
        "redis://db.invalid:6379",
        "postgresql://me:hidden@db.invalid/x",
        "chroma+http://db.invalid:8000",
    ],
)
@pytest.mark.parametrize("command", [["list"], ["add", "x"], ["search", "x"], ["status"], ["export", "-"]])
def test_backends_elsewhere_are_refused(backend: str, command: list[str]) -> None:
    ran = run("--offline", "--backend", backend, *command)
    assert (ran.code, ran.out) == (6, "")
    assert ran.err.startswith("error: the backend ")
    assert "uses the network" in ran.err
    assert "hidden" not in ran.err


def test_embedders_and_targets_elsewhere_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    done("add", "x")
    for command in (
        ["migrate", "--to", "redis://db.invalid"],
        ["migrate", "--from", "redis://db.invalid", "--to", "other.db"],
        ["reembed", "openai", "-y"],
    ):
        ran = run("--offline", *command)
        assert (ran.code, "uses the network" in ran.err) == (6, True), (command, ran.err)
    monkeypatch.setenv("AGENTMEM_EMBEDDING_PROVIDER", "openai")
    assert run("--offline", "search", "x").code == 6
    monkeypatch.setenv("AGENTMEM_EMBEDDING_BASE_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    assert done("--offline", "list", "-o", "id").lines
