"""Fixtures for pytest, which loads them automatically if gptimage is installed.

>>> def test_my_program(gptimage_emulator):
...     my_program(base_url=gptimage_emulator.url, api_key=gptimage_emulator.key)
...     assert gptimage_emulator.charges == 1
"""

from __future__ import annotations

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from gptimage import Client, Emulator


@pytest.fixture
def gptimage_emulator() -> Iterator[Emulator]:
    """A new `gptimage.Emulator` with pessimistic billing: every request that arrived completely is charged."""
    from gptimage import Emulator

    with Emulator(billing="pessimistic") as emulator:
        yield emulator


@pytest.fixture
def gptimage_client(gptimage_emulator: Emulator) -> Client:
    """A `gptimage.Client` of the test's `gptimage_emulator`."""
    return gptimage_emulator.client()
