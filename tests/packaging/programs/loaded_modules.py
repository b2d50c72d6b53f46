"""Prints which of the given modules importing gptimage from a folder loads: loaded_modules.py FOLDER MODULE..."""

import sys

sys.path.append(sys.argv[1])

import gptimage  # noqa: E402, F401

print(*(name for name in sys.argv[2:] if name in sys.modules))
