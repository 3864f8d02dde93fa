"""Which heavy libraries a run loads for each kind of input: those that it needs, and no others."""

import subprocess
import sys
from pathlib import Path

from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, JPEG2000Lossless

from tests.support.dicom_files import classic_series, write_instance, write_series
from tests.support.dicom_multiframe import enhanced
from tests.support.nifti_files import nib, save, values
from tests.support.slices import write_slice

HEAVY = ("highdicom", "imagecodecs", "matplotlib", "nibabel", "onnx", "pandas", "pydicom", "scipy", "torch")
# Of Python and NumPy what takes long to import, or to use: each is a hundredth of a cold start, or more.
SLOW = (
    "importlib.metadata",
    "importlib.resources",
    "multiprocessing",
    "numpy.ma",
    "rich",
    "subprocess",
    "tomllib",
)
# One process reads all of it, kind by kind: what a kind may add to what those before it loaded. Compressed
# pixels are decoded in a process of their own; nibabel, which reads what is kin to NIfTI, needs scipy.
KINDS = {
    "PNG slices": (),
    "a classic series": (),
    "a classic series in JPEG 2000": ("subprocess",),
    "a multi-frame object": ("importlib.metadata", "importlib.resources", "pydicom"),
    "a classic series in big endian": (),
    "a NIfTI volume": (),
    "an Analyze pair": ("nibabel", "scipy"),
}
PROGRAM = f"""
import sys
from pathlib import Path
from gadoscope.classification.run import iter_results

loaded = set()
for folder in map(Path, sys.argv[2:]):
    assert list(iter_results([folder], model=Path(sys.argv[1]), jobs=1))
    print(*sorted(({set(HEAVY + SLOW)} & sys.modules.keys()) - loaded))
    loaded.update(sys.modules)
"""


def test_each_kind_of_input_loads_the_libraries_that_it_needs_and_no_others(
    tmp_path: Path, tiny_bundle: Path
) -> None:
    series = classic_series(n_slices=3, matrix=32)
    folders = [tmp_path / f"{index}" for index in range(len(KINDS))]
    png, classic, jpeg, multi_frame, big_endian, nifti, analyze = folders
    write_slice(png / "slice.png")
    write_series(series, classic, syntax=ExplicitVRLittleEndian)
    write_series(series, jpeg, syntax=JPEG2000Lossless)
    nifti.mkdir()
    save(nifti / "t1.nii.gz", values())
    analyze.mkdir()
    nib.save(nib.Spm2AnalyzeImage(values(), None), analyze / "t1.hdr")
    write_instance(enhanced(series), multi_frame / "one")
    write_series(series, big_endian, syntax=ExplicitVRBigEndian)
    command = [sys.executable, "-c", PROGRAM, str(tiny_bundle), *map(str, folders)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    found = dict(zip(KINDS, told, strict=True))
    assert found == {kind: " ".join(added) for kind, added in KINDS.items()}


def test_a_process_that_reads_headers_loads_neither_numpy_nor_pillow_nor_the_command_line() -> None:
    """It starts once for each core: NumPy alone was half of what that took."""
    heavy = {*HEAVY, "PIL", "click", "numpy", "tarfile", "zipfile"}
    program = f"import sys, gadoscope.__main__, gadoscope.reading.scan; print({heavy} & sys.modules.keys())"
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.strip() == "set()"
