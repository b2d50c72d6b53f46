"""The interpreter ends as soon as a daemon thread has started."""

from __future__ import annotations

import threading

from exiting import OPTIONS
from gptimage import Client

client = Client(**OPTIONS)
threading.Thread(target=client.generate, args=("x",), daemon=True).start()
