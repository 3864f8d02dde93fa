"""Several trainings together: seeds, folds, and the label errors that folds find."""
