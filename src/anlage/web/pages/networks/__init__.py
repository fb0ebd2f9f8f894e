"""Networks: write and check one, run it, see what the run found, compare designs."""
