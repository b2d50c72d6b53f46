"""A pool waits for a call."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from exiting import OPTIONS, SENT, note_sent
from gptimage import Client

client = Client(**OPTIONS)
pool = ThreadPoolExecutor(1)
call = pool.submit(client.generate, "x", progress=note_sent)
call.add_done_callback(lambda call: sys.stdout.write(f"{call.result().image.format}\n"))
SENT.wait()
