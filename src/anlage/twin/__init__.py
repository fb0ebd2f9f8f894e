"""TWIN: models of cells, preservation and equipment, a card each.

Touches: custody, library, record, base.
Touched by: plant, lab, network, academy.
Start at: any model.
"""
