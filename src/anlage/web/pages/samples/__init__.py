"""A sample in the laboratory: its tests, its files, what they gave."""
