"""How the stored values of each frame become values, by the functional groups of a multi-frame object.

References
----------
DICOM PS3.3 C.7.6.16 (functional groups)
"""

from pydicom.dataset import Dataset

from gadoscope.errors import ReadError
from gadoscope.reading.dicom import tags
from gadoscope.reading.dicom.element_walk import damaged
from gadoscope.reading.dicom.elements import Elements
from gadoscope.reading.dicom.objects import elements_in, find_items
from gadoscope.reading.dicom.values import Scale, find_scale
from gadoscope.reading.quiet import quiet_library


def find_scales(dataset: Dataset, n_frames: int) -> tuple[Scale, ...]:
    """Return how stored values become values: of all frames at once, or of each where each says it.

    Raises
    ------
    ReadError
        If the header is damaged, or describes fewer frames than there are.
    """
    try:
        with quiet_library():
            shared = next(iter(find_items(dataset, tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE)), Dataset())
            frames = find_items(dataset, tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)
            scales = tuple(_find_scale((frame, shared, dataset)) for frame in frames[:n_frames])
            alone = _find_scale((shared, dataset))
    except Exception as error:  # a sequence is parsed only now, and as above pydicom may trip over anything
        raise damaged() from error
    if scales and len(scales) < n_frames:
        raise ReadError(
            "damaged_header",
            f"it describes {len(scales)} frames, but NumberOfFrames is {n_frames}; copy it from its source.",
        )
    return scales if len(set(scales)) > 1 else scales[:1] or (alone,)


def _find_scale(places: tuple[Dataset, ...]) -> Scale:
    """Return the scale that the first of ``places`` states: a frame's own, the shared one, the instance's."""
    top = elements_in(places[-1])

    def find_macro(tag: int) -> Elements:
        items = next(filter(None, (find_items(place, tag) for place in places)), None)
        return elements_in(items[0]) if items else top

    maps = next(
        filter(None, (find_items(place, tags.REAL_WORLD_VALUE_MAPPING_SEQUENCE) for place in places)), None
    )
    only_map = elements_in(maps[0]) if maps and len(maps) == 1 else None
    return find_scale(
        find_macro(tags.PIXEL_VALUE_TRANSFORMATION_SEQUENCE), find_macro(tags.FRAME_VOILUT_SEQUENCE), only_map
    )
