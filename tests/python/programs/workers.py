"""Pools, processes and executors of one start method, whose workers make pictures: workers.py METHOD."""

from __future__ import annotations

import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.queues import SimpleQueue

import gptimage
from gptimage import Client, Generated


def work(address: tuple[str, str]) -> tuple[int, Generated]:
    url, prompt = address
    made = Client(api_key="k", base_url=url, proxy=False).generate(prompt)
    return os.getpid(), made


def inherited(queue: SimpleQueue[int]) -> None:
    # Only a forked child inherits the client.
    queue.put(client.generate("inherited").image.nbytes or 0)


if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    with gptimage.Emulator(billing="pessimistic") as emulator:
        client = emulator.client()
        client.generate("x", quality="low")
        with context.Pool(3) as pool:
            results = pool.map(work, [(emulator.url, f"picture {number}") for number in range(9)], chunksize=1)
            # Results are sent back by pickle.
            assert all(made.image.format == "png" and made.cost and made.cost.usd for _, made in results)
            assert os.getpid() not in {pid for pid, _ in results}
            pool.close()
            pool.join()
        expected = 10
        if sys.argv[1] == "fork":
            queue: SimpleQueue[int] = context.SimpleQueue()
            processes = [multiprocessing.get_context("fork").Process(target=inherited, args=(queue,)) for _ in range(3)]
            for process in processes:
                process.start()
            assert all(queue.get() > 1000 for _ in processes)
            for process in processes:
                process.join(30)
                assert process.exitcode == 0, process
            expected += 3
        with ProcessPoolExecutor(2, mp_context=context) as executor:
            made = list(executor.map(work, [(emulator.url, "x")] * 4))
        assert len(made) == 4
        client.generate("x")
        assert emulator.charges == expected + 5, emulator.charges
