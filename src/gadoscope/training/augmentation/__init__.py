"""Training slices altered by chance: the lesson's few knobs, or the strong recipe."""
