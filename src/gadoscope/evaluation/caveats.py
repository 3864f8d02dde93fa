"""What a figure is worth: sentences computed from the data, the gravest first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gadoscope.labels import Level
from gadoscope.records import Data
from gadoscope.report.finding import CAUTION, NOTE, SERIOUS, finding, rank
from gadoscope.statistics.table import Predictions
from gadoscope.wording import list_names, percent, plural

# An interval wider than this (ten points) leaves open whether the network is good or poor.
WIDE_INTERVAL = 0.10


@dataclass(frozen=True, kw_only=True)
class Context:
    """What the predictions do not show.

    Parameters
    ----------
    split
        The split of the verdict, ``test`` or ``validation``.
    chosen_on
        What the bundle says of where its threshold comes from.
    split_method
        ``keras``, ``subject``, or empty where unknown.
    training_sources
        Source to (pre-contrast, post-contrast) images in the training split; empty where unknown.
    n_shared_images, n_shared_subjects
        Evaluated images equal to a training image byte by byte, and subjects on both sides.
    n_two_sided
        Subjects with images in validation and in test.
    n_excluded
        Images left out because the network was trained on them.
    n_unread
        Images that could not be read.
    foreign_planes
        Planes in the data that the bundle was not made for.
    """

    split: str
    chosen_on: str = ""
    split_method: str = ""
    training_sources: Mapping[str, tuple[int, int]] | None = None
    n_shared_images: int = 0
    n_shared_subjects: int = 0
    n_two_sided: int = 0
    n_excluded: int = 0
    n_unread: int = 0
    foreign_planes: Sequence[str] = ()


def judge(predictions: Predictions, summary: Data, context: Context) -> list[Data]:
    """Return what limits the figures of one split: ``severity``, ``title``, ``text``.

    Parameters
    ----------
    predictions
        The rows behind the verdict.
    summary
        Their `summarise_split`.
    """
    found = [
        *_missing_class(summary),
        *_one_class_sources(predictions, summary),
        *_training_sources(context),
        *_leaks(context),
        *_split(context),
        *_subjects(summary, context),
        *_width(summary),
        *_repeated_subjects(summary),
        *_baselines(summary),
        *_coverage(context),
    ]
    return rank(found)


def _missing_class(summary: Data) -> Iterator[Data]:
    for phase, measure in (("pre", "specificity"), ("post", "sensitivity")):
        if summary[f"n_{phase}"] == 0:
            yield finding(
                SERIOUS,
                f"There are no {phase}-contrast images",
                f"The {measure} and the AUC are not defined. Whatever calls every image the other class "
                "would look as good; evaluate on images of both classes.",
            )
            return


def _one_class_sources(predictions: Predictions, summary: Data) -> Iterator[Data]:
    labels = {str(name): predictions.is_post[predictions.source == name] for name in set(predictions.source)}
    pre = sorted(name for name, is_post in labels.items() if not is_post.any())
    post = sorted(name for name, is_post in labels.items() if is_post.all())
    paired = sorted(labels.keys() - {*pre, *post})
    if len(labels) == 1 or not (summary["n_pre"] and summary["n_post"]):
        return
    if not pre and not post:
        yield finding(
            NOTE,
            "Every source holds both labels",
            "Within each source the hospital and the scanner cannot give the answer away: these figures "
            "measure contrast, as far as the labels of each source go.",
        )
        return
    holdings = ((pre, "pre"), (post, "post"))
    named = "; ".join(f"{list_names(names)}: only {phase}-contrast" for names, phase in holdings if names)
    text = (
        f"Sources of one class ({named}) can be told apart by the hospital, its scanner, head position or "
        "JPEG noise instead of the contrast. "
    )
    if pre and post:
        text += (
            "Knowing the source, and never looking at the image, is already right in "
            f"{percent(summary['source_only']['accuracy'])} of these images. "
        )
    if paired:
        text += f"Believe the sources where both labels come from one place. {_quote(paired, summary)}"
    else:
        text += "No source here holds both labels: evaluate on one that does before believing any figure."
    if pre and post:
        yield finding(SERIOUS, "The figure over all sources does not measure contrast", text)
    else:
        yield finding(CAUTION, "Some sources hold one class only", text)


def _quote(sources: Sequence[str], summary: Data) -> str:
    """Quote each source's own figures: its row over all planes, or its only row."""
    of_source = {row["source"]: row for row in summary["subgroups"]}  # the row over all planes comes last
    return " ".join(
        f"{name}: balanced accuracy {percent(of_source[name]['balanced_accuracy']['value'])}, "
        f"sensitivity {percent(of_source[name]['sensitivity']['value'])}, "
        f"specificity {percent(of_source[name]['specificity']['value'])} "
        f"on {plural(of_source[name]['n_images'], 'image')}."
        for name in sources
    )


def _training_sources(context: Context) -> Iterator[Data]:
    sources = context.training_sources or {}
    pre = sorted(name for name, (n_pre, n_post) in sources.items() if n_pre and not n_post)
    post = sorted(name for name, (n_pre, n_post) in sources.items() if n_post and not n_pre)
    if not (pre and post):
        return
    yield finding(
        CAUTION,
        "In training, source and label went together",
        f"The network was shown pre-contrast images alone from {list_names(pre)} and post-contrast images "
        f"alone from {list_names(post)}. It may have learned to tell the hospitals apart; only images from "
        "sources that hold both labels can show whether it learned contrast.",
    )


def _leaks(context: Context) -> Iterator[Data]:

    if context.n_shared_images:
        yield finding(
            SERIOUS,
            "Training images are among the evaluated ones",
            f"{plural(context.n_shared_images, 'evaluated image')} equal a training image byte by byte: "
            "the network has seen the answer. Remove them and evaluate again.",
        )
    if context.n_shared_subjects:
        yield finding(
            SERIOUS,
            "Subjects stand on both sides of the split",
            f"{plural(context.n_shared_subjects, 'evaluated subject')} also stood in the training split: the "
            "network may know the head instead of the contrast. Train with --set split.method=subject.",
        )
    if context.n_two_sided:
        yield finding(
            CAUTION,
            "Subjects stand in validation and in test",
            f"{plural(context.n_two_sided, 'subject')} also helped to choose the threshold: the figures at "
            "it are a little optimistic. Keep each subject on one side.",
        )
    if context.n_excluded:
        yield finding(
            NOTE,
            "Training images were left out",
            f"{plural(context.n_excluded, 'image')} of these data trained the network and count nowhere.",
        )


def _split(context: Context) -> Iterator[Data]:
    if context.split == "validation":
        yield finding(
            SERIOUS,
            "There are no test images",
            "All figures are of the validation split, on which the threshold was chosen: they are "
            "optimistic. Evaluate on images that played no part in the training (--data).",
        )
        return
    words = {word.strip(".,:;()") for word in context.chosen_on.lower().split()}
    if "test" in words:
        yield finding(
            CAUTION,
            "The threshold was chosen on test images",
            f"The bundle says that its operating point comes from: {context.chosen_on}. If these are the "
            "same images, the figures at that threshold are optimistic.",
        )


def _subjects(summary: Data, context: Context) -> Iterator[Data]:
    if summary["n_subjects"] is not None:
        return
    has_series = summary["trust"]["level"] == Level.SERIES.value
    text = (
        "Nothing says which images belong to one person. Slices of one person are alike, so the true "
        f"intervals may be wider than those shown: they take every {'series' if has_series else 'image'} for "
        f"a new person. Figures {'' if has_series else 'by series and '}by subject cannot be given, "
        "and a promise about silent errors holds for unrelated images only."
    )
    if context.split_method == "keras":
        text += " The training data was split by file name: one person may stand on both sides."
    yield finding(CAUTION, "The subjects are unknown", text)


def _width(summary: Data) -> Iterator[Data]:
    wide = [
        f"the {name} rests on {plural(rate['n'], 'image')} and may lie anywhere from "
        f"{percent(rate['lower'])} to {percent(rate['upper'])}"
        for name, rate in (
            (name, summary["at_operating_point"][name]) for name in ("sensitivity", "specificity")
        )
        if rate["n"] and rate["upper"] - rate["lower"] > WIDE_INTERVAL
    ]
    if not wide:
        return
    sentence = " and ".join(wide)
    yield finding(CAUTION, "Few images, wide intervals", f"{sentence[0].upper()}{sentence[1:]}.")


def _repeated_subjects(summary: Data) -> Iterator[Data]:
    most = summary["most_images_of_a_subject"]
    if most is None or most == 1:
        return
    yield finding(
        NOTE,
        "Subjects have several images",
        f"The {plural(summary['n_images'], 'image')} come from {plural(summary['n_subjects'], 'subject')}, "
        f"up to {most} from one. Images of one subject are alike: all intervals count subjects, and are "
        "wider than those of as many unrelated images.",
    )


def _baselines(summary: Data) -> Iterator[Data]:
    if not (summary["n_pre"] and summary["n_post"]):
        return
    larger = "pre" if summary["n_pre"] >= summary["n_post"] else "post"
    yield finding(
        NOTE,
        "What one reaches without a network",
        f"Calling every image {larger}-contrast is right in {percent(summary['source_only']['majority'])} "
        "of these images: an accuracy means something only above that. Sensitivity and specificity do not "
        "depend on how common contrast is.",
    )


def _coverage(context: Context) -> Iterator[Data]:

    if context.n_unread:
        yield finding(
            CAUTION,
            "Some images could not be read",
            f"{plural(context.n_unread, 'image')} could not be read and count in no figure; "
            "they are listed at the end.",
        )
    if context.foreign_planes:
        yield finding(
            CAUTION,
            "Planes that the network was not trained on",
            f"There are {list_names(list(context.foreign_planes))} images; the bundle was not made for them.",
        )
