# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Whom a sink trusts, and who it is."""

from __future__ import annotations

import ssl

from pamtri_edge._sinks import Settings


def tls_context(settings: Settings) -> ssl.SSLContext:
    """Return what a connection over TLS is made with: certificates and host names are checked.

    Raises:
        OSError: a file is no certificate or key, or the two do not belong together.
    """
    context = ssl.create_default_context(cafile=settings.ca or None)
    if settings.certificate:
        context.load_cert_chain(settings.certificate, settings.key, lambda: "")  # never ask the terminal
    return context
