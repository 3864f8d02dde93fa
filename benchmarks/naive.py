"""The peer: the script that one would write with pydicom and ONNX Runtime, in one plain loop.

    python -m benchmarks.naive BUNDLE FOLDER...

Reads every header with pydicom, sorts each series along its normal, decodes the slices that the bundle's
policy names with pydicom's ``pixel_array``, applies the window, and runs the same network. It knows
classic series only, and nothing of what may be wrong with a file. Prints JSON.
"""

import json
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np
import onnxruntime
import pydicom
from PIL import Image

from gadoscope.inference.bundle import INPUT_NAME, METADATA_KEY, BundleMetadata


def main() -> None:
    """Classify every series below the folders and print how many there were."""
    session = onnxruntime.InferenceSession(sys.argv[1])
    metadata = BundleMetadata.from_json(session.get_modelmeta().custom_metadata_map[METADATA_KEY])
    series = defaultdict(list)
    for folder in sys.argv[2:]:
        for path in sorted(Path(folder).rglob("*.dcm")):
            header = pydicom.dcmread(path, stop_before_pixels=True)
            orientation = np.asarray(header.ImageOrientationPatient, float)
            normal = np.cross(orientation[:3], orientation[3:])
            place = float(normal @ np.asarray(header.ImagePositionPatient, float))
            series[header.SeriesInstanceUID].append((place, path))
    probabilities = []
    for instances in series.values():
        paths = [path for _, path in sorted(instances)]
        chosen = metadata.slice_policy.choose_indices(len(paths))
        images = np.stack([_read(paths[index], metadata.image_path.size) for index in chosen])
        logits = session.run(None, {INPUT_NAME: images[:, None]})[0]
        probabilities.append(float(1 / (1 + np.exp(-logits.mean()))))
    print(json.dumps({"series": len(probabilities), "mean": float(np.mean(probabilities))}))


def _read(path: Path, size: int) -> np.ndarray:
    dataset = pydicom.dcmread(path)
    low = float(dataset.WindowCenter) - float(dataset.WindowWidth) / 2
    grey = np.clip((dataset.pixel_array - low) * 255 / float(dataset.WindowWidth), 0, 255).astype(np.uint8)
    resized = Image.fromarray(grey).resize((size, size), Image.Resampling.NEAREST)
    return np.asarray(resized, np.float32) / 255


if __name__ == "__main__":
    main()
