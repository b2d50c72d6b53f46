"""A progress function calls sys.exit."""

from __future__ import annotations

import sys

from exiting import OPTIONS, call_for_ever
from gptimage import Client

client = Client(**OPTIONS)
call_for_ever(client, 2)
client.generate("x", progress=lambda now: sys.exit(3))
