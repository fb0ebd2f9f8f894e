"""SHIPMENTS pages: the board, one shipment with its curve and its chain, links for couriers.

Touches: app, custody's transport.
Touched by: web's addresses.
Start at: view.py.
"""
