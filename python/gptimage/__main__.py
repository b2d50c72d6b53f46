"""The `gptimage` command: `gptimage --help`, or `python -m gptimage --help`."""

from __future__ import annotations

import signal
import sys

from gptimage import _core


def main() -> int:
    """Runs the command with this process's arguments and returns its exit code."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # The command handles signals itself. Python's handler would only take effect after the command, and replace its exit
        # code by a traceback.
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        except ValueError:
            pass  # Not the main thread, whose handler it stays.
    return _core.main(["gptimage", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
