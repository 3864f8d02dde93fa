"""Where the repository's own files lie, and the data beside it that a machine may lack."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
FIXTURES = ROOT / "tests" / "fixtures"
CONFIGS = ROOT / "src" / "gadoscope" / "configs"
LESSON = CONFIGS / "lesson.toml"
SHARED = ROOT.parent / "shared"
"""Beside the repository; what needs it is skipped where it is not."""
CASES = SHARED / "cases"
