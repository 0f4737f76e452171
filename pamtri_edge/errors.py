# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The errors that reach a user: what was found, what is accepted, what to do."""

from __future__ import annotations

from typing import Final

_SCARCE: Final = (
    "Resource temporarily unavailable",
    "annot allocate memory",
    "can't alloc",
    "bad_alloc",
    "bad alloc",
    "Insufficient memory",
    "can't start new thread",
    "failed to map segment from shared object",
)
"""What the system and libraries say, in errors of many types, where memory or threads end."""


class PamtriError(Exception):
    """Base of every error that pamtri-edge raises on purpose.

    The message is one or two sentences for the person who has to act on it; the command line prints it
    without a traceback.
    """


class InputError(PamtriError, ValueError):
    """An image, box, track or option that cannot be used as it is."""


class BundleError(PamtriError):
    """A bundle that is incomplete, changed, too new, or gives other results than it promised."""


class CheckpointError(PamtriError):
    """A file of weights that cannot be read or does not fit the network."""


class EngineError(PamtriError):
    """An engine that cannot be built, or not be used on this device."""


class ExportError(PamtriError):
    """An export that was refused; nothing was left under the final name."""


class MissingDependencyError(PamtriError, ImportError):
    """An optional package is not installed; the message names the command that installs it."""


class SourceError(PamtriError):
    """A video, image folder, stream or track file that cannot be read, or ended early."""


class SinkError(PamtriError):
    """Events that a sink could neither deliver nor keep."""


def is_scarcity(error: BaseException) -> bool:
    """Tell whether the system gave no more memory or threads: nothing that was given is to blame."""
    return isinstance(error, MemoryError) or any(words in str(error) for words in _SCARCE)
