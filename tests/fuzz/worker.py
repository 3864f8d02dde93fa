"""A process that classifies damaged files one after the other; its parent sees it crash or hang.

python -m tests.fuzz.worker FOLDER FIRST STEP COUNT

Prints one line of JSON before each case (its number) and one after (what became of it).
"""

import dataclasses
import faulthandler
import json
import resource
import shutil
import sys
import warnings
from pathlib import Path
from typing import TextIO

from tests.fuzz.case import run_case
from tests.fuzz.seeds import load_seeds
from tests.support.bundles import write_tiny_bundle

MOST_ADDRESS_SPACE = 6 * 2**30
"""Far above what the program and its libraries map; a bomb that asks for more gets a MemoryError."""


def main() -> None:
    """Run the cases ``FIRST, FIRST + STEP, ...``."""
    faulthandler.enable()
    run_cases(Path(sys.argv[1]), *map(int, sys.argv[2:5]), said=sys.stdout)


def run_cases(folder: Path, first: int, step: int, count: int, *, said: TextIO) -> None:
    """Run ``count`` cases from ``first`` on, and say so; it changes the process for good."""
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_AS, (MOST_ADDRESS_SPACE, MOST_ADDRESS_SPACE))
    bundle = write_tiny_bundle(folder / f"tiny-{first}-{step}.onnx")
    load_seeds()
    for number in range(first, first + step * count, step):
        print(json.dumps({"number": number}), file=said, flush=True)
        outcome = run_case(number, folder, bundle)
        shutil.rmtree(folder / f"case-{number:06d}")
        memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        told = {**dataclasses.asdict(outcome), "memory_mb": memory_mb}
        print(json.dumps(told), file=said, flush=True)


if __name__ == "__main__":
    main()
