"""On what was measured: a machine and the libraries, in words."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gadoscope.parallel import count_jobs

LIBRARIES = ("numpy", "onnxruntime", "torch", "pydicom", "pillow", "imagecodecs")
"""What the time depends on most."""
ABILITIES = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_bf16": "bf16", "amx_bf16": "AMX", "asimd": "NEON"}
"""By the names of /proc/cpuinfo."""
BUSY = 0.5
"""Others' work, of a core for each core: more of it and seconds on the wall say little."""


def describe_machine() -> dict[str, str]:
    """Return what is known of this machine."""
    return {
        "processor": f"{count_jobs(0)} cores of {_name_processor()}",
        "memory": _count_memory(),
        "graphics": _name_graphics(),
        "system": f"{_name_system()}, Python {platform.python_version()}",
        "libraries": ", ".join(f"{name} {_find_version(name)}" for name in LIBRARIES),
    }


def measure_load() -> float:
    """Return how many processes wanted a processor during the last minute; 0 where nobody counts."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def is_busy(load: float) -> bool:
    """Return whether so much else runs that times on the wall are worth little."""
    return load > BUSY * count_jobs(0)


def _name_processor() -> str:
    told: dict[str, str] = {}
    for line in _read(Path("/proc/cpuinfo")).splitlines():
        name, _, value = line.partition(":")
        told.setdefault(name.strip(), value.strip())
    flags = told.get("flags", told.get("Features", "")).split()
    able = ", ".join(word for flag, word in ABILITIES.items() if flag in flags)
    name = told.get("model name") or platform.processor() or platform.machine()
    return f"{name} ({able or 'no vector units known'})"


def _count_memory() -> str:
    lines = _read(Path("/proc/meminfo")).splitlines()
    kib = next((int(line.split()[1]) for line in lines if line.startswith("MemTotal")), None)
    return "unknown" if kib is None else f"{kib / 2**20:.0f} GiB"


def _name_graphics() -> str:
    program = shutil.which("nvidia-smi")
    if program is None:
        return "none"
    command = [program, "--query-gpu=name", "--format=csv,noheader"]
    told = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")
    return ", ".join(filter(None, map(str.strip, told))) or "none"


def _name_system() -> str:
    try:
        return f"{platform.freedesktop_os_release()['PRETTY_NAME']}, Linux {platform.release()}"
    except (OSError, KeyError):
        return platform.platform()


def _find_version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "missing"


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
