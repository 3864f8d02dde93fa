"""From stored values to values: sign, bits, padding, rescale, window, and what is brighter."""

import math
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydicom import uid as uids
from pydicom.dataset import Dataset
from pydicom.pixels.processing import apply_rescale, apply_windowing

from gadoscope.reading.dicom.pixels import DecodedFrame, decode_frame
from tests.support.pixel_files import make_image, make_stored, to_file
from tests.support.transfer_syntaxes import encode


def _decode(stored: NDArray[Any], bits: int | None = None, **attributes: Any) -> DecodedFrame:
    return decode_frame(to_file(make_image(stored, bits, **attributes)))


def _item(**attributes: Any) -> Dataset:
    item = Dataset()
    for keyword, value in attributes.items():
        setattr(item, keyword, value)
    return item


def _to_grey(frame: DecodedFrame) -> NDArray[np.float64]:
    assert frame.window is not None
    black, white = frame.window
    grey: NDArray[np.float64] = np.clip((frame.values.astype(np.float64) - black) / (white - black), 0, 1)
    return grey


STORED = make_stored(12)[0]


def test_values_are_rescaled_as_pydicom_rescales_them() -> None:
    dataset = make_image(STORED, 12, RescaleSlope="0.3721", RescaleIntercept="-1024.5")
    expected = apply_rescale(STORED, dataset).astype(np.float32)
    np.testing.assert_array_equal(decode_frame(to_file(dataset)).values, expected)


@pytest.mark.parametrize(
    "rescale",
    [
        {"RescaleSlope": "0", "RescaleIntercept": "0"},
        {"RescaleSlope": "1e35", "RescaleIntercept": "0"},
    ],
)
def test_an_unusable_rescale_is_left_out_with_a_warning(rescale: dict[str, str]) -> None:
    frame = _decode(STORED, 12, **rescale)
    np.testing.assert_array_equal(frame.values, STORED)
    assert frame.warnings == (
        "RescaleSlope or RescaleIntercept is no usable number: values were left as stored",
    )


def test_a_rescale_that_is_no_number_is_left_out_with_a_warning() -> None:
    content = to_file(make_image(STORED, 12, RescaleSlope="1.25", RescaleIntercept="0")).getvalue()
    assert content.count(b"1.25") == 1
    frame = decode_frame(BytesIO(content.replace(b"1.25", b"1,25")))
    np.testing.assert_array_equal(frame.values, STORED)
    assert len(frame.warnings) == 1


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT"])
@pytest.mark.parametrize(("center", "width"), [(600, 1200), (333, 17), (2000.5, 4096)])
def test_black_and_white_of_the_window_are_those_of_the_standard(
    function: str, center: float, width: float
) -> None:
    dataset = make_image(STORED, 12, WindowCenter=center, WindowWidth=width, VOILUTFunction=function)
    # pydicom's output spans the range of the stored values: 0 to 4095.
    expected = apply_windowing(STORED, dataset) / 4095
    np.testing.assert_allclose(_to_grey(decode_frame(to_file(dataset))), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("center", "width", "window"),
    [
        ([600, 40], [1200, 400], (0, 1199)),
        (["", ""], ["", ""], None),
        ("", "", None),
        (0.5, 0.25, (0.375, 0.625)),  # narrower than LINEAR allows: as LINEAR_EXACT
        (100, 1, (99.5, 100.5)),
    ],
)
def test_the_first_of_several_windows_counts_and_narrow_ones_are_taken_exactly(
    center: object, width: object, window: tuple[float, float] | None
) -> None:
    frame = _decode(STORED, 12, WindowCenter=center, WindowWidth=width)
    assert frame.window == window
    assert frame.warnings == ()


@pytest.mark.parametrize(("center", "width"), [(600, 0), (600, -5), (600, None), (None, 1200)])
def test_a_window_of_no_width_is_ignored_with_a_warning(center: object, width: object) -> None:
    frame = _decode(STORED, 12, WindowCenter=center, WindowWidth=width)
    assert frame.window is None
    assert frame.warnings == ("WindowCenter or WindowWidth is no usable number: the window was ignored",)


def test_a_sigmoid_becomes_the_line_through_its_middle() -> None:
    frame = _decode(STORED, 12, WindowCenter=500, WindowWidth=200, VOILUTFunction="SIGMOID")
    assert frame.window == (400, 600)


def test_a_missing_window_is_none() -> None:
    assert _decode(STORED, 12).window is None


def test_eight_bit_values_without_rescale_and_window_are_greys() -> None:
    stored = make_stored(8)[0]
    assert _decode(stored).window == (0, 255)
    assert _decode(stored, RescaleSlope="2", RescaleIntercept="0").window is None
    assert _decode(stored, WindowCenter=100, WindowWidth=50).window == (75, 124)
    assert _decode(make_stored(8, is_signed=True)[0]).window == (-128, 127)


@pytest.mark.parametrize("window", [{}, {"WindowCenter": 120, "WindowWidth": 90}])
def test_monochrome1_shows_the_picture_of_monochrome2(window: dict[str, int]) -> None:
    stored = make_stored(8)[0]
    if window:  # the mirrored window of the mirrored values
        mirrored = {"WindowCenter": 256 - window["WindowCenter"], "WindowWidth": window["WindowWidth"]}
    else:
        mirrored = {}
    plain = _decode(stored, **window)
    inverse = _decode(255 - stored, PhotometricInterpretation="MONOCHROME1", **mirrored)
    np.testing.assert_array_equal(_to_grey(inverse), _to_grey(plain))
    assert np.corrcoef(inverse.values.ravel(), plain.values.ravel())[0, 1] > 0.999


def test_monochrome1_negates_after_rescaling() -> None:
    frame = _decode(
        STORED,
        12,
        PhotometricInterpretation="MONOCHROME1",
        RescaleSlope="2",
        RescaleIntercept="10",
        WindowCenter=101,
        WindowWidth=101,
    )
    np.testing.assert_array_equal(frame.values, -(STORED.astype(np.float32) * 2 + 10))
    assert frame.window == (-150.5, -50.5)


@pytest.mark.parametrize(
    "syntax", [uids.ExplicitVRLittleEndian, uids.ExplicitVRBigEndian, uids.JPEGLSLossless]
)
@pytest.mark.parametrize("is_signed", [False, True])
def test_padding_becomes_as_dark_as_the_darkest_pixel(syntax: str, is_signed: bool) -> None:
    padding = -2000 if is_signed else 4095
    stored = np.clip(make_stored(12, is_signed=is_signed)[0], padding + 1000 if is_signed else 0, 4000)
    stored[:5] = padding
    dataset = make_image(stored, 12)
    dataset.add_new("PixelPaddingValue", "SS" if is_signed else "US", padding)
    values = decode_frame(to_file(encode(dataset, syntax))).values
    np.testing.assert_array_equal(values[:5], stored[5:].min())
    np.testing.assert_array_equal(values[5:], stored[5:])


def test_padding_of_monochrome1_is_dark_too() -> None:
    stored = STORED.copy()
    stored[:5] = 0  # the brightest of MONOCHROME1
    stored[5:] = np.maximum(stored[5:], 20)
    values = _decode(stored, 12, PhotometricInterpretation="MONOCHROME1", PixelPaddingValue=0).values
    assert values[:5].max() == values[5:].min()


@pytest.mark.parametrize(("first", "limit"), [(4000, 4095), (4095, 4000)])
def test_a_range_of_padding_may_be_written_either_way(first: int, limit: int) -> None:
    stored = np.minimum(STORED, 3999)
    stored[0, :3] = 4000, 4050, 4095
    values = _decode(stored, 12, PixelPaddingValue=first, PixelPaddingRangeLimit=limit).values
    assert values.max() <= 3999
    np.testing.assert_array_equal(values[0, :3], values.min())


def test_padding_beyond_the_stored_bits_is_found_before_they_are_cut_off() -> None:
    stored = np.maximum(STORED, 5)
    stored[:5] = 0x8000
    values = _decode(stored, 12, PixelPaddingValue=0x8000).values
    np.testing.assert_array_equal(values[:5], stored[5:].min())
    np.testing.assert_array_equal(values[5:], stored[5:])


def test_an_image_of_nothing_but_padding_stays_constant() -> None:
    assert np.ptp(_decode(np.full((20, 20), 7, np.uint16), 12, PixelPaddingValue=7).values) == 0


@pytest.mark.parametrize("syntax", [uids.ExplicitVRLittleEndian, uids.RLELossless, uids.HTJ2KLossless])
@pytest.mark.parametrize("is_signed", [False, True])
def test_garbage_above_the_stored_bits_is_cut_off_with_a_warning(syntax: str, is_signed: bool) -> None:
    stored = make_stored(12, is_signed=is_signed)[0]
    garbage = (np.random.default_rng(0).integers(0, 16, stored.shape, np.uint16)) << 12
    dirty = ((stored.view(np.uint16) & 0x0FFF) | garbage).view(stored.dtype)
    frame = decode_frame(to_file(encode(make_image(dirty, 12), syntax)))
    np.testing.assert_array_equal(frame.values, stored)
    assert frame.warnings == ("bits above BitsStored were set and were cut off",)


def test_a_sign_that_stops_at_the_stored_bits_is_no_garbage() -> None:
    stored = make_stored(12, is_signed=True)[0]
    frame = _decode((stored.view(np.uint16) & 0x0FFF).view(np.int16), 12)
    np.testing.assert_array_equal(frame.values, stored)
    assert frame.warnings == ()


def test_values_in_the_upper_bits_are_moved_down() -> None:
    frame = _decode(STORED << 4, 12, HighBit=15)
    np.testing.assert_array_equal(frame.values, STORED)


def test_thirty_two_bit_values_are_read() -> None:
    stored = make_stored(16, is_signed=True)[0].astype("<i4") * 256
    np.testing.assert_array_equal(_decode(stored, 32, PixelRepresentation=1).values, stored)


MAP = {"RealWorldValueSlope": 0.5, "RealWorldValueIntercept": -3.0}


def test_a_real_world_map_takes_the_place_of_a_missing_rescale() -> None:
    mapped = _decode(
        STORED, 12, RealWorldValueMappingSequence=[_item(**MAP)], WindowCenter=600, WindowWidth=1200
    )
    plain = _decode(STORED, 12, WindowCenter=600, WindowWidth=1200)
    np.testing.assert_array_equal(mapped.values, STORED * 0.5 - 3)
    np.testing.assert_allclose(_to_grey(mapped), _to_grey(plain), atol=1e-6)


@pytest.mark.parametrize(
    ("maps", "rescale"),
    [
        ([MAP], {"RescaleSlope": "2", "RescaleIntercept": "1"}),
        ([MAP, MAP], {}),
        ([{"RealWorldValueSlope": -0.5, "RealWorldValueIntercept": 0.0}], {}),
        ([{"RealWorldValueSlope": math.nan, "RealWorldValueIntercept": 0.0}], {}),
        ([{"RealWorldValueLUTData": [1.0, 2.0, 4.0]}], {}),
        ([], {}),
    ],
)
def test_other_real_world_maps_change_nothing(maps: list[dict[str, Any]], rescale: dict[str, str]) -> None:
    items = [_item(**values) for values in maps]
    frame = _decode(STORED, 12, RealWorldValueMappingSequence=items, **rescale)
    np.testing.assert_array_equal(frame.values, _decode(STORED, 12, **rescale).values)
    assert frame.warnings == ()


def _multi_frame(n_frames: int, **shared: Any) -> Dataset:
    dataset = make_image(make_stored(12, n_frames=3), 12)
    dataset.SharedFunctionalGroupsSequence = [_item(**shared)]
    dataset.PerFrameFunctionalGroupsSequence = [
        _item(
            PixelValueTransformationSequence=[
                _item(RescaleSlope=str(index + 1), RescaleIntercept=str(index))
            ],
            FrameVOILUTSequence=[_item(WindowCenter=100 * (index + 1), WindowWidth=100)],
        )
        for index in range(n_frames)
    ]
    return dataset


def test_each_frame_has_its_own_rescale_and_window() -> None:
    dataset = _multi_frame(3)
    stored = make_stored(12, n_frames=3)
    file = to_file(dataset)
    for index in (2, 0, 1):
        frame = decode_frame(file, index)
        np.testing.assert_array_equal(frame.values, stored[index] * (index + 1.0) + index)
        assert frame.window == (100 * (index + 1) - 50, 100 * (index + 1) + 49)


def test_a_shared_rescale_counts_for_every_frame() -> None:
    dataset = _multi_frame(
        3, PixelValueTransformationSequence=[_item(RescaleSlope="3", RescaleIntercept="1")]
    )
    for item in dataset.PerFrameFunctionalGroupsSequence:
        del item.PixelValueTransformationSequence
    stored = make_stored(12, n_frames=3)
    np.testing.assert_array_equal(decode_frame(to_file(dataset), 1).values, stored[1] * 3.0 + 1)


@pytest.mark.parametrize("kind", ["<f4", "<f8"])
def test_floating_point_pixels_are_read_and_not_a_number_is_kept(kind: str) -> None:
    stored = make_stored(12)[0].astype(kind) / 7
    stored[3, 4] = np.nan
    stored[0] = -1e6
    dataset = make_image(stored)
    dataset.add_new(*((0x00280122, "FL") if kind == "<f4" else (0x00280123, "FD")), -1e6)
    frame = decode_frame(to_file(dataset))
    np.testing.assert_array_equal(frame.values[1:], stored[1:].astype(np.float32))
    np.testing.assert_array_equal(frame.values[0], np.nanmin(stored[1:]).astype(np.float32))
    assert frame.window is None


def test_a_missing_photometric_interpretation_and_bits_stored_are_supposed_with_warnings() -> None:
    dataset = make_image(STORED, 12)
    del dataset.PhotometricInterpretation, dataset.BitsStored, dataset.HighBit
    frame = decode_frame(to_file(dataset))
    np.testing.assert_array_equal(frame.values, STORED)
    assert frame.warnings == (
        "PhotometricInterpretation is missing: larger values were taken as brighter",
        "BitsStored is missing or wrong: BitsAllocated was taken instead",
    )
