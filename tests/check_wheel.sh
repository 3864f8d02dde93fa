#!/bin/sh
# The built wheel, in a clean environment without torch: does it install, start and refuse politely?
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$PYTHON" -m build --quiet --wheel --outdir "$work/dist" . >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
"$PYTHON" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet "$work"/dist/*.whl
cd "$work"
bin=$work/venv/bin

"$bin/gadoscope" --version
"$bin/gadoscope" --help >/dev/null
"$bin/gadoscope" doctor
"$bin/gadoscope" phantom slices --form png --subjects 4 --seed 1 >/dev/null
"$bin/python" - <<'PYTHON'
import importlib.resources, importlib.util
from gadoscope.evidence.lexicon import load_lexicon
assert importlib.util.find_spec("torch") is None, "the base installation must not bring torch"
templates = importlib.resources.files("gadoscope.evaluation") / "templates"
assert load_lexicon().version >= 1, "the lexicon is missing"
assert any(entry.name.endswith(".html") for entry in templates.iterdir()), "the report's template is missing"
PYTHON

# Without the extra, training says what to install; without a model, classify says how to get one.
: >lesson.toml
if "$bin/gadoscope" train lesson.toml --data slices --output run 2>message; then exit 1; fi
grep -q "gadoscope\[train\]" message
if "$bin/gadoscope" classify slices 2>message; then exit 1; fi
grep -q "\-\-model" message
echo "the wheel installs, starts and refuses politely"
