"""The engine of many machines: a run's work done by the workers of a Dask cluster."""
