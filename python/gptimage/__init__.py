"""Make and edit images with gpt-image-2: validated before money is spent, never charged twice, never lost.

>>> from gptimage import Client
>>> client = Client()                                    # the key is in AIMLAPI_KEY
>>> client.generate("A T-Rex relaxing on a beach")       # a notebook shows the image
>>> client.edit("Put a crown on its head", image="t-rex.png", save_to="crowned.png")

Without a key, on an emulator of the API:

>>> import gptimage
>>> with gptimage.Emulator() as emulator:
...     client = emulator.client()
...     client.generate("A T-Rex relaxing on a beach")

`Client` blocks, `AsyncClient` is awaited; both have the same methods. Errors are in this module and in
`gptimage.exceptions`.
"""

from gptimage import _image as _image
from gptimage._core import VERSION as __version__
from gptimage._core import Image
from gptimage.budget import Budget
from gptimage.client import AsyncClient, Client
from gptimage.emulator import Emulator
from gptimage.exceptions import (
    APIConnectionError,
    APIResponseValidationError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    BudgetExceededError,
    ConfigError,
    DownloadError,
    GptImageError,
    InsufficientCreditsError,
    InternalError,
    InternalServerError,
    InvalidRequestError,
    LocalIOError,
    ModerationBlockedError,
    NotFoundError,
    OutcomeUnknownError,
    PermissionDeniedError,
    RateLimitError,
)
from gptimage.generated import Generated
from gptimage.mask import Mask
from gptimage.records import Attempt, Balance, BudgetStatus, Cost, Pending, Progress, Reconciled, Violation

__all__ = [
    "APIConnectionError",
    "APIResponseValidationError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncClient",
    "Attempt",
    "AuthenticationError",
    "BadRequestError",
    "Balance",
    "Budget",
    "BudgetExceededError",
    "BudgetStatus",
    "Client",
    "ConfigError",
    "Cost",
    "DownloadError",
    "Emulator",
    "Generated",
    "GptImageError",
    "Image",
    "InsufficientCreditsError",
    "InternalError",
    "InternalServerError",
    "InvalidRequestError",
    "LocalIOError",
    "Mask",
    "ModerationBlockedError",
    "NotFoundError",
    "OutcomeUnknownError",
    "Pending",
    "PermissionDeniedError",
    "Progress",
    "RateLimitError",
    "Reconciled",
    "Violation",
    "__version__",
]
