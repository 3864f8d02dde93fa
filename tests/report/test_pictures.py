import base64
import io

import numpy as np
from PIL import Image

from gadoscope.report.pictures import THUMBNAIL, overlay, picture


def decode(address: str) -> Image.Image:
    head, content = address.split(",")
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def test_a_picture_keeps_the_aspect_ratio_of_the_slice() -> None:
    assert decode(picture(np.zeros((300, 600), dtype=np.uint8))).size == (THUMBNAIL, THUMBNAIL // 2)


def test_evidence_for_post_contrast_is_orange_and_for_pre_contrast_blue() -> None:
    evidence = np.zeros((50, 50), dtype=np.float32)
    evidence[:, :20], evidence[:, 30:] = 2.0, -2.0

    tinted = np.asarray(
        decode(overlay(np.full((100, 100), 90, dtype=np.uint8), evidence)).convert("RGB"), int
    )

    left, middle, right = tinted[120, 20], tinted[120, 120], tinted[120, 220]
    assert left[0] > left[2] + 60
    assert right[2] > right[0] + 60
    assert np.ptp(middle) < 30


def test_no_evidence_leaves_the_slice_as_it_is() -> None:
    grey = np.full((10, 10), 77, dtype=np.uint8)

    assert np.asarray(decode(overlay(grey, np.zeros((4, 4), dtype=np.float32))).convert("L")).max() == 77
