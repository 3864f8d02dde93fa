"""What an audit, earlier openings, broken promises and a gate take away from a figure."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from gadoscope.inspection.audited import STRONG_CODE
from gadoscope.inspection.shortcuts import tell_part, tell_strong, tell_unmeasured, tell_weak
from gadoscope.records import Data
from gadoscope.report.finding import CAUTION, NOTE, SERIOUS, finding
from gadoscope.wording import area, list_names, percent, plural

CIRCUMSTANCE = "circumstance"
"""The audit's word for what contrast cannot change, such as the source or the image's size."""
NEAR_AUC = 0.05
"""A trivial predictor this close to the network's AUC leaves the network little to be credited with."""

FEW_REFUSED = 0.01
"""Whoever classifies such images hardly notices that so few T1 brains get no answer."""
MANY_REFUSED = 0.5
"""From here on the figures are mostly of images that get no answer."""


def cross_check(
    summary: Mapping[str, Any],
    *,
    audit: Data | None,
    openings: Sequence[Data],
    promise: Data | None,
    gate: Data | None,
    shortcuts: Data | None = None,
) -> list[Data]:
    """Return ``severity``, ``title`` and ``text`` of each doubt; those of shortcuts and the audit come first.

    Parameters
    ----------
    summary
        Of the verdict's split, from `summarise_split`.
    audit
        From `read_audit`; None where there is none.
    openings
        Of the run's sealed test, this one included; empty where none was opened.
    promise
        What the bundle promises of its band: ``max_risk``, ``is_promised``, ``sentence``.
    gate
        As in the report's `Evaluated`; None for a bundle without one.
    shortcuts
        From `find_shortcuts`, of the images that are evaluated; None where nothing was measured.
    """
    same_data = audit is not None and shortcuts is not None and audit.get("is_of_these_data") is True
    return [
        *_near_predictors(summary["auc"], audit if audit and not same_data else shortcuts),
        *_weak_shortcuts(shortcuts),
        *_audit_findings(audit, told={STRONG_CODE} if same_data else set()),
        *_openings(openings),
        *_promise(summary["trust"]["abstention"], promise),
        *_gate(gate),
        *_calibration(summary["trust"]["calibration"]),
    ]


def tell_shortcuts(shortcuts: Data | None) -> list[Data]:
    """Return what gives the label of these images away: serious, and for the top of a report."""
    strong = shortcuts and tell_strong(shortcuts["predictors"], shortcuts["paired_sources"])
    if not shortcuts or not strong:
        return []
    return [finding(SERIOUS, strong["title"], strong["text"] + tell_part(shortcuts))]


def _weak_shortcuts(shortcuts: Data | None) -> list[Data]:
    predictors = shortcuts["predictors"] if shortcuts else ()
    found = [tell_weak(predictors), tell_unmeasured(predictors)]
    return [finding(CAUTION, one["title"], one["text"]) for one in found if one]


def _near_predictors(auc: Mapping[str, Any], audit: Data | None) -> list[Data]:
    """Accuse the trivial predictors that tell nearly as much as the network."""
    if audit is None or auc["value"] is None:
        return []
    limit = min(auc["value"] - NEAR_AUC, auc["lower"] if auc["lower"] is not None else auc["value"])
    found = []
    for severity, is_circumstance in ((SERIOUS, True), (CAUTION, False)):
        near = [
            one
            for one in audit["predictors"]
            if one["auc"] is not None
            and one["auc"]["value"] is not None
            and one["auc"]["value"] >= limit
            and one["verdict"] in ("weak", "strong")
            and (one["nature"] == CIRCUMSTANCE) is is_circumstance
        ]
        if not near:
            continue
        named = list_names([f"{one['name']} (AUC {area(one['auc']['value'])})" for one in near])
        verb = "tells" if len(near) == 1 else "each tell"
        meaning = (
            "It cannot see contrast. Where it goes with the label, the network need not have learned "
            "contrast either."
            if is_circumstance
            else "Contrast changes it, so it is no leak; but it is the figure to surpass."
        )
        kind = "audited" if "findings" in audit else "given"
        text = (
            f"In the {kind} images {named} {verb} the label nearly as well as the network, "
            f"whose AUC here is {area(auc['value'])}. {meaning}"
        )
        found.append(finding(severity, "A trivial predictor is as good as the network", text))
    return found


def _audit_findings(audit: Data | None, told: Collection[str]) -> list[Data]:
    if audit is None:
        return []
    origin = f"From the audit of {audit['origin']}, {plural(audit['n_images'], 'image')}: "
    return [
        finding(SERIOUS, one["title"], origin + one["text"])
        for one in audit["findings"]
        if one["severity"] == SERIOUS and one["code"] not in told
    ]


def _openings(openings: Sequence[Data]) -> list[Data]:
    if len(openings) < 2:  # noqa: PLR2004  # this one alone
        return []
    n_bundles = len({opening["bundle_sha256"] for opening in openings})
    models = "one and the same bundle" if n_bundles == 1 else plural(n_bundles, "bundle")
    return [
        finding(
            NOTE if n_bundles == 1 else CAUTION,
            f"The test was opened {len(openings)} times",
            f"With {models}; the first time on {openings[0]['time'] or 'an unknown day'}. Looking again "
            "changes no figure, but whatever was changed after a look was tuned to these images: count such "
            "looks, and evaluate on new images in the end.",
        )
    ]


def _promise(abstention: Data | None, promise: Data | None) -> list[Data]:
    """Compare what the bundle promised of silent errors with what happened here."""
    if promise is None or abstention is None or not promise["is_promised"]:
        return []
    errors = abstention["silent_errors"]
    if errors["lower"] is None or errors["lower"] <= promise["max_risk"]:
        return []
    return [
        finding(
            SERIOUS,
            "The promise of silence is broken here",
            f"At most {percent(promise['max_risk'])} of all answers were to be silent errors; here it is "
            f"{percent(errors['value'])} (95\N{NO-BREAK SPACE}%: {percent(errors['lower'])} to "
            f"{percent(errors['upper'])}). These images are not like those that the band was chosen on.",
        )
    ]


def _gate(gate: Data | None) -> list[Data]:
    """Say that images with a figure would get no answer."""
    if gate is None or gate["t1"]["share"]["value"] <= FEW_REFUSED:
        return []
    t1, share = gate["t1"], gate["t1"]["share"]
    return [
        finding(
            SERIOUS if share["value"] >= MANY_REFUSED else CAUTION,
            "The gate refuses T1 images",
            f"Asked for each image alone, gadoscope classify will refuse {t1['n_refused']:,} of "
            f"{t1['n_images']:,} of these images as no T1 brain: {percent(share['value'])} "
            f"(95\N{NO-BREAK SPACE}%: {percent(share['lower'])} to {percent(share['upper'])}). They will get "
            "no answer, but these figures count one for each. The section on the gate names some: look "
            "whether they are T1 brains.",
        )
    ]


def _calibration(calibration: Data) -> list[Data]:
    ece = calibration["after"]["ece"]
    if not ece["lower"]:  # None: not known; 0: chance suffices
        return []
    return [
        finding(
            CAUTION,
            "The probabilities do not mean what they say here",
            f"Said and so differ by {percent(ece['value'])} on average (95\N{NO-BREAK SPACE}%: "
            f"{percent(ece['lower'])} to {percent(ece['upper'])}), more than chance makes of right "
            "probabilities. Use the answers, not the probabilities; see the reliability diagram.",
        )
    ]
