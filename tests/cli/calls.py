"""What the calls of several commands have in common."""

FAIR = ("--prompt", "a man by the window", "--tone", "noir", "--angle", "low angle", "--seed", "7")
CAMPAIGN = "refs/2026 가을 캠페인/01. Model"
SMALL = ("--size", "96x128")
