from __future__ import annotations

import os
from pathlib import Path

from ..running import done, run


def test_where_the_files_are(clean_surroundings: Path) -> None:
    assert done("config", "path").out == os.environ["AGENTMEM_CONFIG"] + "\n"
    ran = run("config", "path", "--project")
    assert ran.code == 3
    (clean_surroundings / ".agentmem.toml").write_text("")
    assert done("config", "path", "--project").out == f"{clean_surroundings / '.agentmem.toml'}\n"
