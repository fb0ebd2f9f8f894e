"""The kinds of job, one module per package whose work they do.

Each module is imported by the pages too, so it imports heavy things inside its functions.
"""
