"""A head made by physics: demo, teaching and test data without patients."""
