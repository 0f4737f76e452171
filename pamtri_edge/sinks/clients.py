# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""The client that a sink's URI asks for; its package is loaded here alone."""

from __future__ import annotations

from pamtri_edge._sinks import Settings
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.sinks.transport import Transport


def make_transport(settings: Settings) -> Transport | None:
    """Return the client that a sink needs; None for a file, which C++ writes.

    Raises:
        MissingDependencyError: its package is not installed.
        InputError: an option cannot be used, such as a certificate that is none.
    """
    try:
        if settings.kind == "mqtt":
            from pamtri_edge.sinks.mqtt import MqttTransport

            return MqttTransport(settings)
        if settings.kind == "redis":
            from pamtri_edge.sinks.redis_streams import RedisTransport

            return RedisTransport(settings)
        if settings.kind == "kafka":
            from pamtri_edge.sinks.kafka import KafkaTransport

            return KafkaTransport(settings)
    except ImportError as error:
        raise MissingDependencyError(
            f'the sink {settings.shown} needs a client ({error}): pip install "pamtri-edge[{settings.kind}]"'
        ) from error
    except InputError:
        raise
    except (OSError, ValueError) as error:
        raise InputError(f"the sink {settings.shown} cannot be used: {settings.hide(str(error))}.") from None
    return None
