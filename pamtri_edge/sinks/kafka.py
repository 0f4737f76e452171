# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Kafka, by confluent-kafka: an idempotent producer, the track as the message's key."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any, Final

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException

from pamtri_edge._sinks import Settings
from pamtri_edge.errors import InputError
from pamtri_edge.sinks.transport import Message, Outcome, TransportError, Verdict

_REFUSALS: Final = frozenset(
    {
        KafkaError._AUTHENTICATION,
        KafkaError._SSL,
        KafkaError.SASL_AUTHENTICATION_FAILED,
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    }
)
_REJECTIONS: Final = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_MSG})

_silent = logging.getLogger("pamtri_edge.sinks.librdkafka")  # its own words would go to standard error
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


class KafkaTransport:
    """A producer of a Kafka cluster; see `Transport`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: Any = None
        self._outcomes: list[Outcome] = []
        self._error: KafkaError | None = None
        try:
            self._make()  # options that cannot be used are told at once
        except KafkaException as error:
            words = settings.hide(_words(error.args[0]))
            raise InputError(f"the sink {settings.shown} cannot be used: {words}.") from None
        self.close()

    def connect(self, wait_s: float, /) -> None:
        """Make a producer, and ask the cluster for the topic; see `Transport`."""
        self.close()
        self._make()
        try:
            self._producer.list_topics(self._settings.target, timeout=max(wait_s, 0.1))
        except KafkaException as error:
            self._producer.poll(0.0)
            raise self._lost(self._error or error.args[0]) from None
        self._error = None

    def send(self, messages: Sequence[Message], /) -> None:
        """Produce; see `Transport`."""
        for number, key, payload in messages:
            try:
                self._producer.produce(
                    self._settings.target, payload, key=key.encode(), on_delivery=self._noting(number)
                )
            except BufferError:
                self._outcomes.append((number, "failed", "the producer's queue is full"))
            except KafkaException as error:
                self._note(number, error.args[0])

    def poll(self, wait_s: float, /) -> list[Outcome]:
        """Return what the cluster has acknowledged; see `Transport`."""
        self._producer.poll(0.0 if self._outcomes else wait_s)
        if self._error is not None and not self._outcomes:
            raise self._lost(self._error)
        done, self._outcomes = self._outcomes, []
        return done

    def close(self) -> None:
        """Let go of the producer, and of what it has not sent; see `Transport`."""
        producer, self._producer = self._producer, None
        if producer is not None:
            producer.purge()
            producer.flush(0.0)
        self._outcomes = []
        self._error = None

    def _make(self) -> None:
        settings = self._settings
        security = "SSL" if settings.tls else "PLAINTEXT"
        timeout_ms = max(int(settings.timeout_s * 1000), 1000)
        options: dict[str, Any] = {
            "bootstrap.servers": ",".join(
                f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in settings.places
            ),
            "client.id": "pamtri-edge",
            "enable.idempotence": True,
            "linger.ms": 5,
            "message.timeout.ms": timeout_ms,
            "error_cb": self._on_error,
            "security.protocol": ("SASL_" if settings.user else "") + security,
        }
        if settings.user:
            options |= {
                "sasl.mechanism": settings.sasl,
                "sasl.username": settings.user,
                "sasl.password": settings.password,
            }
        if settings.compression:
            options["compression.type"] = settings.compression
        for name, value in (
            ("ssl.ca.location", settings.ca),
            ("ssl.certificate.location", settings.certificate),
            ("ssl.key.location", settings.key),
        ):
            if value:
                options[name] = value
        self._producer = confluent_kafka.Producer(options, logger=_silent)

    def _on_error(self, error: KafkaError) -> None:
        if error.fatal() or error.code() in _REFUSALS | {KafkaError._ALL_BROKERS_DOWN}:
            self._error = error

    def _noting(self, number: int) -> Any:
        return lambda error, message: self._note(number, error)

    def _note(self, number: int, error: KafkaError | None) -> None:
        if error is None:
            self._outcomes.append((number, "acknowledged", ""))
        else:
            verdict: Verdict = "rejected" if error.code() in _REJECTIONS else "failed"
            self._outcomes.append((number, verdict, _words(error)))

    def _lost(self, error: KafkaError) -> TransportError:
        return TransportError(_words(error), refused=error.code() in _REFUSALS)


def _words(error: KafkaError) -> str:
    """Return the library's words without the codes around them."""
    if error.code() == KafkaError._ALL_BROKERS_DOWN:
        return "no broker answers"
    return str(error.str()).strip()
