import json
from pathlib import Path
from typing import Any

import pytest

from gadoscope.errors import UsageError
from gadoscope.evaluation.cross_checks import cross_check
from gadoscope.inspection.audited import AUDIT_NAME, find_audit, read_audit
from gadoscope.report.finding import CAUTION, SERIOUS

FINDING = {"severity": SERIOUS, "code": "confound", "title": "The source tells", "text": "It does."}


def write_audit(folder: Path, **changes: Any) -> Path:
    document = {
        "format": "gadoscope audit",
        "format_version": 1,
        "data": {"origin": "data"},
        "counts": {"all": {"n_images": 40}},
        "findings": [FINDING, {**FINDING, "severity": CAUTION}],
        "predictors": [predictor("source", "circumstance", 0.97)],
        **changes,
    }
    path = folder / AUDIT_NAME
    path.write_text(json.dumps(document))
    return path


def predictor(name: str, nature: str, auc: float) -> dict[str, Any]:
    return {"name": name, "nature": nature, "verdict": "strong", "auc": {"value": auc}}


def summary(auc: float | None) -> dict[str, Any]:
    ece = {"value": 0.1, "lower": 0.0, "upper": 0.2}
    errors = {"value": 0.2, "lower": 0.12, "upper": 0.3}
    return {
        "auc": {"value": auc, "lower": auc},
        "trust": {"abstention": {"silent_errors": errors}, "calibration": {"after": {"ece": ece}}},
    }


def doubts(auc: float | None = 0.99, **changes: Any) -> list[dict[str, Any]]:
    return cross_check(
        summary(auc), **{"audit": None, "openings": [], "promise": None, "gate": None, **changes}
    )


def test_a_predictor_near_the_network_is_accused_first(tmp_path: Path) -> None:
    found = doubts(audit=read_audit(write_audit(tmp_path)))

    assert [one["title"] for one in found] == [
        "A trivial predictor is as good as the network",
        "The source tells",
    ]
    assert found[0]["severity"] == SERIOUS
    assert "source (AUC 0.9700)" in found[0]["text"]


@pytest.mark.parametrize("auc", [0.5, 0.8])
def test_a_weak_predictor_is_not_held_against_a_good_network(tmp_path: Path, auc: float) -> None:
    audit = read_audit(
        write_audit(tmp_path, findings=[], predictors=[predictor("plane", "circumstance", auc)])
    )

    assert doubts(audit=audit) == []


def test_where_the_area_is_not_defined_no_predictor_is_compared(tmp_path: Path) -> None:
    assert doubts(None, audit=read_audit(write_audit(tmp_path, findings=[]))) == []


def test_a_broken_promise_is_serious_and_a_kept_one_is_silent() -> None:
    promise = {"max_risk": 0.05, "is_promised": True, "sentence": "At most 5 %."}

    assert [one["title"] for one in doubts(promise=promise)] == ["The promise of silence is broken here"]
    assert doubts(promise={**promise, "max_risk": 0.15}) == []
    assert doubts(promise={**promise, "is_promised": False}) == []


def test_the_audit_is_looked_for_where_it_is_told_to(tmp_path: Path) -> None:
    assert find_audit([tmp_path]) is None
    assert find_audit([tmp_path / "none", tmp_path]) is None
    assert find_audit([tmp_path / "none", write_audit(tmp_path).parent]) == tmp_path / AUDIT_NAME


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "something"}, "is no audit"),
        ({"format_version": 2}, "audit the data again"),
        ({"counts": {}}, "cannot be read"),
    ],
)
def test_what_is_no_audit_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        read_audit(write_audit(tmp_path, **changes))


def test_a_missing_audit_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="make it again with `gadoscope audit`"):
        read_audit(tmp_path / "none.json")
