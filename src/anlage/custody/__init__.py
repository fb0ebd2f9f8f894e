"""IDENTITY and CUSTODY: which thing is which, where it is and who answers for it.

Touches: library, record, base.
Touched by: twin and above.
Start at: codes/ (what a label says).
"""
