"""The `gptimage` command: `gptimage --help`, or `python -m gptimage --help`."""

from __future__ import annotations

import signal
import sys

from gptimage import _core


def main() -> int:
    """Runs the command with this process's arguments."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        # The command hears signals itself. Python's handler would only note them for code of Python's, of which none runs
        # before the command is over, and would end that with a traceback in place of the command's exit code.
        try:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        except ValueError:
            pass  # Not the main thread, whose handler it stays.
    return _core.main(["gptimage", *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
