"""Tell whether a T1 brain MRI was acquired before or after gadolinium contrast."""

import os

__version__ = "0.1.0"

# From 1.29 on, ONNX Runtime's wheels report models and machines to Microsoft unless this is set before they
# load (pull request 27379 there). Gadoscope tells nobody anything; whoever wants it sets the variable to 0.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
