"""LIBRARY: what ought to be, and who may do it.

Touches: record, base.
Touched by: custody and above.
Start at: specification.py (the one evaluator of limits).
"""
