"""The `gptimage` command: `gptimage --help`, or `python -m gptimage --help`."""

from __future__ import annotations

import sys

from gptimage import _core


def main() -> int:
    """Runs the command with this process's arguments."""
    return _core.main(["gptimage", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
