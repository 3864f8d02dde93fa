"""Several trainings together: seeds, folds, searches, and the label errors that folds find."""
