"""Anlage: the open platform for manufacturing cells, vein to vein.

Definitions say what should happen. Facts say what did. Views compare.
Start at: `record` (what happened), `library` (what ought to be), `plant` (making a lot).
"""

__version__ = "0.1.0"
