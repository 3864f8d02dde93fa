"""What docs/how-to/classify-on-a-cluster.md shows of Slurm is what dask-jobqueue prints."""

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "how-to" / "classify-on-a-cluster.md"
MADE = re.compile(r"cluster = (SLURMCluster\(.*\))")


def test_the_script_on_the_page_is_the_one_that_is_submitted(tmp_path: Path) -> None:
    jobqueue = pytest.importorskip("dask_jobqueue", reason="needs dask-jobqueue")
    text = PAGE.read_text(encoding="utf-8")
    shown = text.partition("```text\n")[2].partition("```")[0].splitlines()
    (made,) = MADE.findall(text)
    loopback = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}
    options = f"scheduler_options={loopback}, local_directory={str(tmp_path)!r}"
    with eval(made[:-1] + f", {options})", vars(jobqueue)) as cluster:  # noqa: S307 - our own page
        script = cluster.job_script()
    assert [line for line in script.splitlines() if line.startswith("#SBATCH")] == shown
    assert "--nthreads 1" in script
