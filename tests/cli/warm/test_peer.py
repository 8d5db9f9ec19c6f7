"""A process that sees or may do something else than the warm process is left to itself."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from shlex import quote

import pytest

from agentmem_cli.warm import peer
from tests.cli.process.programs import PROGRAM, surroundings
from tests.cli.warm.processes import Warm, agentmem


def unshares(*options: str) -> bool:
    return (
        bool(shutil.which("unshare"))
        and not subprocess.run(["unshare", *options, "true"], capture_output=True).returncode
    )


@pytest.mark.skipif(not unshares("-Urm"), reason="namespaces cannot be made here")
@pytest.mark.parametrize("options", ["-Urm", "-Urn"])
def test_another_namespace(options: str, warm: Warm) -> None:
    agentmem("add", "one")
    ran = agentmem("list", "-o", "id", before=["unshare", options])
    assert (ran.returncode, len(ran.stdout.split())) == (0, 1)
    assert warm.requests == 1


@pytest.mark.skipif(not unshares("-Urm"), reason="namespaces cannot be made here")
def test_another_folder_of_the_same_name(warm: Warm, tmp_path: Path) -> None:
    agentmem("add", "one")
    (tmp_path / "empty").mkdir()
    script = f'mount --bind {quote(str(tmp_path))}/empty "$AGENTMEM_HOME" && exec {quote(PROGRAM)} list -o id'
    ran = agentmem(before=["unshare", "-Urm", "sh", "-c", script])
    assert (ran.returncode, ran.stdout) == (0, "")
    assert warm.requests == 1


def test_credentials_of_another_user(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        own = peer.Surroundings(os.getpid())
        assert peer.check(ours, own) == {}
        monkeypatch.setattr(os, "getuid", lambda: 12_345)
        with pytest.raises(peer.StrangerError, match="another user"):
            peer.check(ours, own)


if os.getuid() == 0:  # only root can become somebody else

    def test_another_user(warm: Warm) -> None:
        warm.socket.chmod(0o777)
        script = (
            "import os, socket, sys\nos.setgid(65534); os.setuid(65534)\n"
            "asked = socket.socket(socket.AF_UNIX); asked.connect(sys.argv[1])\n"
            "try:\n    asked.sendall(b'S\\0\\0\\0\\0'); print(asked.recv(1000))\n"
            "except OSError:\n    print(b'')\n"
        )
        reachable = [sys.executable, "-I", "-c", script, str(warm.socket)]
        parents = [folder for folder in warm.socket.parents if not folder.stat().st_mode & 0o001]
        modes = {folder: folder.stat().st_mode for folder in parents}
        try:
            for folder in parents:
                folder.chmod(0o755)
            ran = subprocess.run(reachable, capture_output=True, text=True)
        finally:
            for folder, mode in modes.items():
                folder.chmod(mode)
        assert ran.stdout == "b''\n", ran.stderr


def test_a_folder_that_others_can_enter(warm: Warm) -> None:
    warm.socket.parent.chmod(0o755)
    assert agentmem("add", "one").returncode == 0
    warm.socket.parent.chmod(0o700)
    assert warm.requests == 0


def test_fewer_rights(warm: Warm) -> None:
    if not shutil.which("setpriv"):
        pytest.skip("there is no setpriv")
    assert agentmem("add", "one", before=["setpriv", "--no-new-privs"]).returncode == 0
    assert (warm.requests, warm.cold) == (0, {"other rights": 1})


def test_other_limits(warm: Warm) -> None:
    def fewer() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))

    subprocess.run(
        [PROGRAM, "add", "one"], env=surroundings(), preexec_fn=fewer, check=True, capture_output=True
    )
    assert (warm.requests, warm.cold) == (0, {"other limits": 1})


def test_the_size_that_files_may_have_is_taken_over(warm: Warm) -> None:
    def smaller() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))

    ran = subprocess.run(
        [PROGRAM, "add", "one"], env=surroundings(), preexec_fn=smaller, capture_output=True, text=True
    )
    assert ran.returncode == 1, ran.stderr
    assert "Traceback" not in ran.stderr
    assert warm.requests == 1
    assert agentmem("add", "two").returncode == 0


@pytest.mark.parametrize(("value", "requests"), [("1", 1), ("0", 0)])
def test_what_a_program_with_the_model_hands_on(value: str, requests: int, warm: Warm) -> None:
    assert agentmem("add", "one", env={"ORT_DISABLE_TELEMETRY": value}).returncode == 0
    assert warm.requests == requests
