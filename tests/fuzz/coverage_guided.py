"""Damage files as the program's coverage guides it, with atheris, until the time is over.

    python -m tests.fuzz.coverage_guided --seconds 60 --corpus FOLDER

Begins with the seeds of the campaign. A file that breaks a claim ends the run; libFuzzer writes it to the
system's folder for temporary files and names it. Without atheris, which has no wheel for every Python, it
says so and ends well.
"""

import argparse
import contextlib
import importlib.util
import io
import subprocess
import sys
import tempfile
from pathlib import Path

INSTRUMENTED = ["gadoscope.reading", "gadoscope.imaging", "gadoscope.evidence", "pydicom"]
LONGEST_FILE = 65_536
MOST_MEMORY_MB = 3000


def main() -> None:
    """Fuzz from the command line; exit code 0 where no claim was broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1, help="another one searches elsewhere")
    parser.add_argument("--corpus", type=Path, help="folder to begin with and to add to; default: a new one")
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if importlib.util.find_spec("atheris") is None:
        print("skipped: atheris is not installed; the seeded campaign needs none.")
        return
    if arguments.work is not None:
        _fuzz(arguments.work, arguments)
        return
    # libFuzzer ends its process without ceremony: a child, so that the folder is removed.
    with tempfile.TemporaryDirectory(prefix="gadoscope-atheris-") as folder:
        command = [sys.executable, "-m", "tests.fuzz.coverage_guided", *sys.argv[1:], "--work", folder]
        sys.exit(subprocess.run(command, check=False).returncode)


def _fuzz(work: Path, arguments: argparse.Namespace) -> None:
    import atheris  # noqa: PLC0415 - not for every Python

    quiet = contextlib.redirect_stderr(io.StringIO())  # one line a module otherwise
    with quiet, atheris.instrument_imports(include=INSTRUMENTED, enable_loader_override=False):
        from tests.fuzz.case import check_path  # noqa: PLC0415
        from tests.fuzz.seeds import load_seeds  # noqa: PLC0415
        from tests.support.bundles import write_tiny_bundle  # noqa: PLC0415 - only now under instruments
    corpus: Path = arguments.corpus or work / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for index, seed in enumerate(load_seeds()):
        (corpus / f"seed-{index:03d}").write_bytes(seed.data)
    bundle = write_tiny_bundle(work / "tiny.onnx")
    path = work / "damaged"

    def classify(data: bytes) -> None:
        path.write_bytes(data)
        outcome = check_path(path, bundle)
        if outcome.faults:
            raise AssertionError("; ".join(outcome.faults))

    settings = [
        f"-max_total_time={arguments.seconds}",
        f"-seed={arguments.seed}",
        f"-max_len={LONGEST_FILE}",
        f"-rss_limit_mb={MOST_MEMORY_MB}",
        "-timeout=5",
        f"-artifact_prefix={Path(tempfile.gettempdir())}/gadoscope-fuzz-",
        "-print_final_stats=1",
        "-verbosity=0",
    ]
    atheris.Setup([sys.argv[0], *settings, str(corpus)], classify)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
