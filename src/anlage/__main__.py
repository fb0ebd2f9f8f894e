"""`python -m anlage`."""

import sys

from .cli import main

sys.exit(main())
