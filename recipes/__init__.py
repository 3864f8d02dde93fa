"""How the data of shipped weights are made."""
