# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What a client of a broker does for a sink; the policy that calls it is pipelines/sinks/delivery.cpp."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from typing import Literal, Protocol

from pamtri_edge._sinks import Settings

Message = tuple[int, str, bytes]
"""Number, key and payload."""

Verdict = Literal["acknowledged", "failed", "rejected"]
"""The broker has it; not this time; never."""

Outcome = tuple[int, Verdict, str]
"""Number of a message, what became of it, and why it failed ("" otherwise)."""


class TransportError(Exception):
    """A connection that failed or could not be made.

    Attributes:
        refused: the broker is there and does not let us in: waiting will hardly help.
    """

    def __init__(self, why: str, *, refused: bool = False) -> None:
        super().__init__(why)
        self.refused = refused


class Transport(Protocol):
    """A connection that can be made again and again; one thread at a time calls it.

    Each method but `close` may raise `TransportError`: what was sent and has no outcome is sent again then.
    """

    def connect(self, wait_s: float, /) -> None:
        """Connect, waiting at most so many seconds."""

    def send(self, messages: Sequence[Message], /) -> None:
        """Hand messages over; their outcomes come from `poll`, in any order."""

    def poll(self, wait_s: float, /) -> list[Outcome]:
        """Return the outcomes that are there, waiting at most so many seconds for the first."""

    def close(self) -> None:
        """Let go of the connection; no outcome of what was sent comes after this."""


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Return what a connection over TLS is made with: certificates and host names are checked.

    Raises:
        OSError: a file is no certificate or key, or the two do not belong together.
    """
    context = ssl.create_default_context(cafile=settings.ca or None)
    if settings.certificate:
        context.load_cert_chain(settings.certificate, settings.key, lambda: "")  # never ask the terminal
    return context
