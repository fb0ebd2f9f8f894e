"""RECORD: what happened, for ever.

Touches: base.
Touched by: library and above.
Start at: fact.py (the envelope), then journal.py (the face every engine keeps).
"""
