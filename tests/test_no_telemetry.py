"""Nothing is told to anybody: libraries that report on their user are switched off before they load."""

import os
import subprocess
import sys
from pathlib import Path

RUN = "from gadoscope.inference.session import Session; from pathlib import Path; Session(Path({bundle!r}))"


def test_onnx_runtime_leaves_no_identifier_and_no_queue_of_events(tmp_path: Path, tiny_bundle: Path) -> None:
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    home.mkdir()
    temporary.mkdir()
    # ONNX Runtime is also silent where it takes the machine for a continuous integration server.
    kept = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    environment = {**kept, "HOME": str(home), "TMPDIR": str(temporary), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-c", RUN.format(bundle=str(tiny_bundle))]
    subprocess.run(command, check=True, env=environment, cwd=Path.cwd())
    assert [path for path in tmp_path.rglob("*") if path.is_file() and path != tiny_bundle] == []
