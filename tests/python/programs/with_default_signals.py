"""Runs a command that ignores no signal, whatever this process was started to ignore: with_default_signals.py COMMAND..."""

from __future__ import annotations

import os
import signal
import sys

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
