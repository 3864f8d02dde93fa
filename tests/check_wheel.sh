#!/bin/sh
# The built wheel, in a clean environment without torch: does it install, answer, and refuse politely?
set -eu
PYTHON=${PYTHON:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$PYTHON" -m build --quiet --outdir "$work/dist" . >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
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
assert (templates / "house.css").is_file(), "the style of every page is missing"
PYTHON

# The source archive holds the default bundle, too; the wheel was built from it.
tar -tzf "$work"/dist/*.tar.gz >files
grep -q "/src/gadoscope/weights/default.sha256$" files
grep -q "/src/gadoscope/weights/default.images.json$" files

# The default bundle answers where no model is named: T1 brains before and after contrast, and T2, which is refused.
"$bin/gadoscope" phantom brain --form png --contrast t1 --contrast t2 --plane axial --subjects 10 --seed 1 >/dev/null
for phase in pre post; do
    "$bin/gadoscope" classify "brain/t1/$phase" --json >answers.jsonl
    right=$(grep -ci "\"phase\": *\"${phase}_contrast\"" answers.jsonl)
    all=$(wc -l <answers.jsonl)
    answered=$(grep -c '"status": *"answered"' answers.jsonl)
    echo "default model, $phase-contrast slices: $answered of $all answered, $right of them right"
    # It may stay silent where it is unsure; where it answers, nine in ten are right.
    test $((answered * 2)) -ge "$all"
    test $((right * 10)) -ge $((answered * 9))
done
"$bin/gadoscope" classify brain/t2 --json >answers.jsonl
grep -q '"reason": *"not_t1_brain' answers.jsonl

# Without the extra, training says what to install.
: >lesson.toml
if "$bin/gadoscope" train lesson.toml --data slices --output run 2>message; then exit 1; fi
grep -q "gadoscope\[train\]" message
echo "the wheel installs, answers and refuses politely"
