"""CODES: pure codecs of the field's identifiers (ISBT 128, SEC, GS1, EPC).

Touches: base.
Touched by: custody, wire.
Start at: any codec.
"""
