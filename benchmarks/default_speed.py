"""Training the default model, timed against the same network in a plain PyTorch loop, one after the other.

    python -m benchmarks.default_speed

Makes slices with the phantom, trains some short epochs of the config `default` with `gadoscope train`, then
as many with `benchmarks.plain_loop` on the same prepared slices, and prints one table. Ratios matter; seconds
drift with the machine.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.limits import describe_default_epoch
from benchmarks.table import Row, begin_parser, finish
from gadoscope.training.shipped import CONFIGS

ROOT = Path(__file__).resolve().parents[1]
DEFAULT = CONFIGS / "default.toml"
SUBJECTS = 24
BATCH_SIZE = 48
ASKED = 3.0
"""How many times faster an epoch has to be."""


def main() -> None:
    """Measure and print."""
    parser = begin_parser(__doc__)
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20, help="of an epoch; the default model's have 200")
    parser.add_argument(
        "--threads", type=int, default=0, help="of a step; 0: every core, as the plain loop; the config has 1"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gadoscope-bench-") as folder:
        work = Path(folder)
        _run("gadoscope", "phantom", work / "slices", "--form", "png", "--subjects", SUBJECTS, "--seed", 1)
        _train(work, arguments.epochs, arguments.steps, arguments.threads)
        metrics = (work / "run" / "metrics.jsonl").read_text().splitlines()
        ours = statistics.median(json.loads(line)["seconds"] for line in metrics)
        peer = json.loads(_run("benchmarks.plain_loop", work / "run", arguments.epochs).splitlines()[-1])
    ratio = peer["median_epoch_s"] / ours
    rows = [
        Row(
            f"median epoch of {arguments.steps} steps",
            f">= {ASKED:g} x the plain loop",
            f"{ours:.1f} s = {ratio:.1f} x faster",
            ratio >= ASKED,
            peer=f"a plain PyTorch loop: {peer['median_epoch_s']:.1f} s",
            limit=describe_default_epoch(arguments.steps * BATCH_SIZE, arguments.threads),
        )
    ]
    finish(rows, arguments.rows)


def _train(work: Path, epochs: int, steps: int, threads: int) -> None:
    """Train by the library, which keeps the prepared slices that it is told to share."""
    program = (
        "import sys; from pathlib import Path; "
        "from gadoscope.training.config import read_config; from gadoscope.training.job import Job; "
        "from gadoscope.training.run import train; "
        "config = read_config(Path(sys.argv[1]), sys.argv[3:]); work = Path(sys.argv[2]); "
        "train(Job(config=config, data=work / 'slices', run=work / 'run', prepared=work / 'prepared'))"
    )
    settings = list_settings(epochs, steps, threads)
    _execute([sys.executable, "-c", program, str(DEFAULT), str(work), *settings])


def list_settings(epochs: int, steps: int, threads: int) -> list[str]:
    """Return what differs from the config: one network without a gate, as the plain loop trains it."""
    return [
        f"epochs={epochs}",
        f"threads={threads}",
        f"batch_size={BATCH_SIZE}",
        f"sampling.steps_per_epoch={steps}",
        "sampling.shares={}",
        "members=1",
        "gate.counterexamples=0.0",
        "gate.use_other=false",
        "gate.shares={}",
    ]


def _run(module: str, *arguments: object) -> str:
    return _execute([sys.executable, "-m", module, *map(str, arguments)])


def _execute(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}\nended with {done.returncode}:\n{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
