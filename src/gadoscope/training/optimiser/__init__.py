"""How weights move: Keras' Adam, Muon, and the average of weights."""
