"""COURIER page: a courier without a login signs one hand-over by a link.

Touches: app, custody's transport.
Touched by: web's addresses.
Start at: view.py.
"""
