"""What a trained bundle says of itself: where its weights come from, and what was frozen with them."""

from collections.abc import Mapping, Sequence

from gadoscope.freezing.freeze import Frozen
from gadoscope.imaging.slices import SlicePolicy
from gadoscope.inference.bundle import BundleMetadata
from gadoscope.labels import Label, Plane
from gadoscope.models.network import Layer
from gadoscope.preparation.items import Item
from gadoscope.preparation.subjects import count_subjects
from gadoscope.preparation.training_images import TrainingImages
from gadoscope.training.config import TrainingConfig


def describe_bundle(
    config: TrainingConfig,
    layers: Sequence[Layer],
    frozen: Frozen,
    train: Sequence[Item],
    digests: Mapping[str, str | int | None],
    images: TrainingImages,
) -> BundleMetadata:
    """Return the metadata of a bundle; no time of day, so that equal runs give equal files.

    Parameters
    ----------
    train
        The images and slices that it was trained on.
    digests
        SHA-256 of data, weights, and of the bundles that it started or learnt from; and the epoch that was
        kept.
    images
        Of training and validation, and those of the bundle that it started from: what whoever judges the
        bundle must not judge it by.
    """
    planes = _find_planes([item for item in train if item.label is not Label.OTHER])
    return BundleMetadata(
        name=config.name,
        network=config.network,
        n_parameters=sum(layer.parameters for layer in layers),
        image_path=config.image,
        slice_policy=SlicePolicy(planes=planes),
        planes=planes,
        decision=frozen.decision,
        training={
            "seed": config.seed,
            "epochs": config.epochs,
            "precision": config.precision,
            "n_images": len(train),
            "n_subjects": count_subjects([item.subject_id for item in train]),
            "sources": sorted({item.source for item in train}),
            "images": images.to_dict(),
            **digests,
        },
        licence=config.licence,
        performance=frozen.performance,
    )


def _find_planes(items: Sequence[Item]) -> tuple[Plane, ...]:
    found = {item.plane for item in items} - {Plane.UNKNOWN}
    return tuple(plane for plane in Plane if plane in found)
