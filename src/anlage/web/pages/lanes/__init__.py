"""LANES pages: lanes with their qualification, a check before booking, advice, the fleet.

Touches: app, custody's transport.
Touched by: web's addresses.
Start at: view.py.
"""
