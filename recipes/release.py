"""What a release consists of, built twice and compared: wheel, sdist, hashes and the list of ingredients.

    python -m recipes.release --output dist

Both builds start from what git has committed, in a folder of their own, with the commit's time as the time of
every file. Are their bytes not the same, nothing is written. The list of ingredients (SBOM) is CycloneDX, of
what `constraints/base.txt` pins, which `pip install --require-hashes -r constraints/base.txt` installs.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from gadoscope.files import hash_file

ROOT = Path(__file__).resolve().parents[1]
PINS = Path("constraints/base.txt")
SBOM_NAME, HASHES_NAME = "sbom.cdx.json", "SHA256SUMS"


def main() -> None:
    """Build, compare and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("dist"), help="folder, made anew")
    output = parser.parse_args().output
    if run_git("status", "--porcelain").strip():
        raise SystemExit("Error: the clone has changes that are not committed; commit or stash them first.")
    with tempfile.TemporaryDirectory() as folder:
        first, second = (build_once(Path(folder) / name) for name in ("first", "second"))
        compare_builds(first, second)
        shutil.rmtree(output, ignore_errors=True)
        shutil.copytree(first, output)
    write_sbom(output / SBOM_NAME)
    write_hashes(output)
    print((output / HASHES_NAME).read_text(encoding="ascii"), end="")


def build_once(folder: Path) -> Path:
    """Build wheel and sdist from the commit in a folder of their own, and return where they are."""
    with tarfile.open(fileobj=io.BytesIO(run_git("archive", "HEAD"))) as archive:
        archive.extractall(folder / "source", filter="data")
    moment = run_git("log", "-1", "--format=%ct").decode().strip()
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", folder / "dist", folder / "source"],
        check=True,
        stdout=subprocess.DEVNULL,
        env={**os.environ, "SOURCE_DATE_EPOCH": moment},
    )
    return folder / "dist"


def compare_builds(first: Path, second: Path) -> None:
    """Check that two folders hold the same bytes.

    Raises
    ------
    SystemExit
        If not, naming the files that differ.
    """
    one, other = hash_files(first), hash_files(second)
    differing = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    if differing:
        raise SystemExit(f"Error: two builds of one commit differ in {', '.join(differing)}.")


def hash_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a folder, by name."""
    return {path.name: hash_file(path) for path in sorted(folder.iterdir())}


def write_hashes(folder: Path) -> None:
    """Write the hashes of a folder's files as `sha256sum --check` reads them."""
    lines = [f"{digest}  {name}\n" for name, digest in hash_files(folder).items() if name != HASHES_NAME]
    (folder / HASHES_NAME).write_text("".join(lines), encoding="ascii")


def write_sbom(path: Path) -> None:
    """Write what the base installation consists of, in CycloneDX, the same bytes for the same pins."""
    subprocess.run(
        [
            Path(sys.executable).with_name("cyclonedx-py"),
            "requirements",
            "--pyproject",
            ROOT / "pyproject.toml",
            "--output-reproducible",
            "--validate",
            "--output-file",
            path.resolve(),
            ROOT / PINS,
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )


def run_git(*words: str) -> bytes:
    """Return what git prints of the clone."""
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True).stdout


if __name__ == "__main__":
    main()
