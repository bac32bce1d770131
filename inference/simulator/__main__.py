"""`python -m inference.simulator`."""

import sys

from inference.simulator.command import main

sys.exit(main())
