"""The laboratory: what waits, measurements with their figures, methods with their trends."""
