"""One's own jobs: how far they are, what they found, cancel, run again."""
