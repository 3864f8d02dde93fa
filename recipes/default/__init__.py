"""The data of the default model: pairs made, labels given, sources joined in one manifest."""
