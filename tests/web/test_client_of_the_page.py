"""The client of the page about the API, run as it stands there."""

import os
import subprocess
import sys
from pathlib import Path

from tests.docs.test_how_to import SAVED
from tests.support.paths import DOCS
from tests.web.conftest import Guarded


def test_the_client_of_the_page_prints_answers_and_walks_through_the_store(
    guarded: Guarded, folder: Path, tmp_path: Path
) -> None:
    ((name, program),) = SAVED.findall((DOCS / "how-to" / "use-the-api.md").read_text(encoding="utf-8"))
    (tmp_path / name).write_text(program, encoding="utf-8")
    slices = sorted((folder / "slices").glob("*.png"))[:2]
    ran = subprocess.run(
        [sys.executable, tmp_path / name, guarded.served.url, *slices],
        env=os.environ | {"GADOSCOPE_TOKEN": guarded.tokens["all"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:2]] == [[path.name, "answered"] for path in slices]
    assert len([line for line in lines if line.startswith("series ")]) == len(lines) - 2 > 0
