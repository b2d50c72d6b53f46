"""An emulator that sends one image to every call: one_picture.py PICTURE. Ends when its standard input is closed."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gptimage import Emulator

picture = Path(sys.argv[1]).read_bytes()
with Emulator(billing="pessimistic", canned=picture, keep_bodies=0) as emulator:
    print(json.dumps({"url": emulator.url}), flush=True)
    sys.stdin.read()
