#!/bin/sh
# The built wheel, in a clean environment without torch: does it install, answer, and refuse politely?
set -eu
PYTHON=$(command -v "${PYTHON:-python3}")
# The script leaves this folder, and a relative path would not follow.
case $PYTHON in /*) ;; *) PYTHON=$PWD/$PYTHON ;; esac
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
"$bin/gadoscope" notebook | grep -q "install: .*pip install .*\[notebook\]"
test -s the-lesson.ipynb
# Slices to answer are drawn by the environment that tests: a base installation has no scipy, and draws none.
"$PYTHON" -m gadoscope phantom slices --form png --subjects 4 --seed 1 >/dev/null

# What a base installation takes, with the pip and setuptools of the environment.
megabytes=$(du -sm "$work"/venv/lib/python*/site-packages | cut -f1)
echo "site-packages of a base installation: $megabytes MB"
test "$megabytes" -lt 350
"$bin/python" - <<'PYTHON'
import importlib.resources, importlib.util
from gadoscope.evidence.lexicon import load_lexicon
for library in ("torch", "scipy"):
    assert importlib.util.find_spec(library) is None, f"the base installation must not bring {library}"
rooms = importlib.resources.files("gadoscope")
assert load_lexicon().version >= 1, "the lexicon is missing"
for page in ("evaluation/templates/report.html", "inspection/templates/audit.html", "report/templates/house.css", "web/templates/sign_in.html", "web/static/sign_in.css"):
    assert (rooms / page).is_file(), f"{page} is missing"
for name in ("lesson", "default", "finetune"):
    assert (rooms / "configs" / f"{name}.toml").is_file(), f"the config {name} is missing"
PYTHON

# The source archive holds the default bundle, too; the wheel was built from it.
tar -tzf "$work"/dist/*.tar.gz >files
grep -q "/src/gadoscope/weights/default.sha256$" files
grep -q "/src/gadoscope/weights/default.images.json$" files
grep -q "/src/gadoscope/web/templates/room/room.css$" files
test "$(grep -c "/src/gadoscope/web/static/vendor/.*-LICENSE$" files)" -eq 2

# The default bundle answers where no model is named: T1 brains before and after contrast, and T2, which is refused.
"$PYTHON" -m gadoscope phantom brain --form png --contrast t1 --contrast t2 --plane axial --subjects 10 --seed 1 >/dev/null
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

# Without the extra, each command that needs it says in one sentence what to install, and leaves nothing.
refuses() {
    if "$bin/gadoscope" "$@" >printed 2>message; then echo "gadoscope $* needs no extra" && exit 1; fi
    test ! -s printed
    test "$(wc -l <message)" -eq 1
    grep -q "^Error: .*pip install .*\[$extra\]" message
}
extra=phantom
refuses phantom heads
extra=train
refuses train lesson --data slices --output run
refuses evaluate default --data slices --output report
refuses audit slices
refuses import-keras old.h5
extra=web
refuses serve answers.db
refuses access access.json
extra=parquet
refuses classify slices/Test --output answers.parquet
test ! -e run && test ! -e report && test ! -e answers.parquet

# The hint is a command that works from the wheel: this one is small enough to try here.
sed "s/^.*pyarrow: //; s/; or name.*$//" message >hint
sh -eu hint --quiet >installed 2>&1 || { cat hint installed; exit 1; }
"$bin/gadoscope" classify slices/Test --output answers.parquet
for form in csv TSV json jsonl; do "$bin/gadoscope" classify slices/Test --output "answers.$form" 2>/dev/null; done
"$bin/gadoscope" classify slices/Test --output closed.csv 2>&-
"$bin/gadoscope" classify slices/Test --output - | cmp - closed.csv

# What does the extra train bring? With TRAIN=1, half a gigabyte later, each of its commands.
if [ "${TRAIN:-0}" = 1 ]; then
    "$bin/pip" install --quiet ${CONSTRAINTS:+-c "$CONSTRAINTS"} "$(echo "$work"/dist/*.whl)[train]"
    "$bin/gadoscope" audit slices --output audit >/dev/null
    "$bin/gadoscope" train lesson --data slices --output run --epochs 1 >/dev/null
    "$bin/gadoscope" evaluate run --output report >/dev/null
    test -s run/model.onnx && test -s report/report.html && test -s audit/report.html
fi
echo "the wheel installs, answers and refuses politely"
