"""STORE: engines that keep: journal, views, vault, blobs.

Touches: packages, to save their types.
Touched by: app, web, cli.
Start at: sqlite_journal.py.
"""
