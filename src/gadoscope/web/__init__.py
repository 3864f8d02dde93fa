"""The review room and the REST API: what `gadoscope serve` shows of a store, over HTTP."""
