"""Measurements, each beside the bare engine or the best peer in the same run."""
