"""Paths become answers: the use case of `gadoscope classify`."""
