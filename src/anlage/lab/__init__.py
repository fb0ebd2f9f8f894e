"""LAB: what was measured becomes a result one can defend.

Touches: twin, custody, library, record, base.
Touched by: academy, store, wire, app, web, cli.
Start at: the corner of your kind of data: image/, flow/, assay/; method.py says what a method
may be used for.
"""

from .method import MethodCard, Purpose

__all__ = ["MethodCard", "Purpose"]
