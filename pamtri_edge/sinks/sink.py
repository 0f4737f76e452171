# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A sink: takes events at any time, and sends them from a thread of its own."""

from __future__ import annotations

import logging
import os
import secrets
import threading
import weakref
from pathlib import Path
from typing import Final

from pamtri_edge._sinks import Delivery, Report, Settings, event_key, parse_settings
from pamtri_edge.compiled import decisions
from pamtri_edge.errors import InputError, MissingDependencyError
from pamtri_edge.events import Event
from pamtri_edge.sinks.transport import Transport
from pamtri_edge.words import EmbeddingFormat, SinkFormat

_log = logging.getLogger(__name__)

_STEP_S: Final = 0.05


class EventSink:
    """Sends events to a file or a broker, at least once and in order for each track.

    A broker that is away stops nothing: events wait, in the spool where there is one, until it is back.

    Args:
        uri: `file:PATH`, `mqtt[s]://HOST/TOPIC`, `redis[s]://HOST/STREAM` or `kafka[s]://HOST/TOPIC`; see
            docs/sinks.md.
        payload_format: how events are encoded.
        embedding_format: how embeddings are written in JSON.
        spool: file that keeps what is not acknowledged; what an earlier process left there is sent first.

    Raises:
        InputError: the URI, an option or the spool cannot be used; none of these names a password.
        MissingDependencyError: the broker's client is not installed.
    """

    def __init__(
        self,
        uri: str,
        *,
        payload_format: SinkFormat = "json",
        embedding_format: EmbeddingFormat = "list",
        spool: Path | None = None,
    ) -> None:
        settings = parse_settings(uri)
        self.shown = settings.shown
        self.patience_s = settings.flush_s
        self._payload_format: SinkFormat = payload_format
        self._embedding_format: EmbeddingFormat = embedding_format
        self._delivery = Delivery(
            settings,
            make_transport(settings),
            spool=str(spool or ""),
            payload_format=payload_format,
            seed=secrets.randbits(64),
        )
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="pamtri-sink", daemon=True)
        self._thread.start()
        # For programs that end without `close`: C++ in a thread, overtaken by the end of Python, aborts them.
        weakref.finalize(self, _end_in, os.getpid(), self._stop, self._delivery, self._thread)

    def post(self, event: Event) -> None:
        """Take an event; never waits for the broker. Any thread may call this."""
        if self._payload_format == "protobuf":
            payload: bytes = decisions().events_protobuf([event])
        else:
            payload = event.to_json(embedding_format=self._embedding_format).encode()
        self.post_encoded(event_key(event.camera, str(event.track_id)), payload)

    def post_encoded(self, key: str, payload: bytes) -> None:
        """Take an event that is encoded already.

        Args:
            key: events of one key stay in order.
            payload: in this sink's format; JSON without a line end.
        """
        self._delivery.post(key, payload)

    def report(self) -> Report:
        """Return how far events are."""
        return self._delivery.report()

    def flush(self, deadline_s: float) -> bool:
        """Wait until all is acknowledged; return whether all is.

        Args:
            deadline_s: the longest wait; less if the broker is away and the spool has what remains.
        """
        return self._delivery.flush(deadline_s)

    def close(self) -> Report:
        """End sending; return what became of the events. What is not acknowledged stays in the spool."""
        _end(self._stop, self._delivery, self._thread)
        self._tell()
        return self._delivery.report()

    def _work(self) -> None:
        while not self._stop.is_set():
            self._delivery.step(_STEP_S)
            self._tell()

    def _tell(self) -> None:
        for problem in self._delivery.take_problems():
            _log.warning("%s", problem)


def _end(stop: threading.Event, delivery: Delivery, thread: threading.Thread) -> None:
    """End sending; what is not acknowledged stays in the spool. May be called again."""
    if thread.is_alive():
        stop.set()
        delivery.wake()
        thread.join()
    delivery.close()


def _end_in(process: int, stop: threading.Event, delivery: Delivery, thread: threading.Thread) -> None:
    """Do so in the process that began it alone: in a forked one the connection is still its parent's."""
    if os.getpid() == process:
        _end(stop, delivery, thread)


def make_transport(settings: Settings) -> Transport | None:
    """Return the client that a sink needs, its package loaded here alone; None for a file, which C++ writes.

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
