"""STORAGE pages: the tree of the store, a box as a picture, put away and pick by scan, audit.

Touches: app, custody's storage.
Touched by: web's addresses.
Start at: view.py.
"""
