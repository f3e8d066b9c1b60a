"""``python -m npae`` is the command ``npae``."""

import sys

from npae.cli import main

sys.exit(main())
