"""The operator's command line: `python -m core …`."""

import gc

# Before anything is imported: a command is over soon, and rounds over what it imports take a tenth of its time.
gc.set_threshold(100_000, 20, 20)
