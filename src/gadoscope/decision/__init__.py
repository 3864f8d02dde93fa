"""From logits to an answer: calibration, aggregation, operating point, gate."""
