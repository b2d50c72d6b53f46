"""A pool makes calls; the interpreter waits for it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from exiting import OPTIONS
from gptimage import Client

client = Client(**OPTIONS)
pool = ThreadPoolExecutor(4)
calls = [pool.submit(client.generate, "x") for _ in range(8)]
calls[0].add_done_callback(lambda call: print(call.result().image.format))
