"""From arrays to answers by ONNX Runtime; never torch."""
