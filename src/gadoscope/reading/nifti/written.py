"""An image of nibabel becomes the bytes of the file that saving it would make."""

from typing import Any

import nibabel
from nibabel.filebasedimages import SerializableImage
from nibabel.spatialimages import SpatialImage

from gadoscope.errors import ReadError


def write_nifti(image: SpatialImage) -> bytes:
    """Return the file, uncompressed; of a form that takes two files, a NIfTI file of the same voxels.

    Raises
    ------
    ReadError
        ``bad_header``, if nibabel cannot write it.
    """
    try:
        single: Any = image if isinstance(image, SerializableImage) else nibabel.Nifti1Image.from_image(image)
        content: bytes = single.to_bytes()
    except OSError as error:  # of the file that its voxels still lie in
        raise ReadError(
            "missing", "the voxels of this image cannot be read any more; load it again."
        ) from error
    except Exception as error:  # nibabel raises whatever a header makes it trip over
        raise ReadError(
            "bad_header",
            f"nibabel cannot write this image ({type(error).__name__}); save it once, and load it again.",
        ) from error
    return content
