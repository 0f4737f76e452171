# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""MQTT, by paho-mqtt: protocol 5, QoS 1, a message an event."""

from __future__ import annotations

import ssl
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from pamtri_edge._sinks import Settings
from pamtri_edge.sinks.transport import Message, Outcome, TransportError, Verdict, tls_context

_KEEP_ALIVE_S: Final = 30
_LEAST_OVERHEAD: Final = 32  # bytes of a packet beside topic and payload, with some to spare
_TOO_LARGE: Final = "it is larger than the broker takes"
_REFUSALS: Final = frozenset({0x84, 0x85, 0x86, 0x87, 0x8A, 0x8C})  # protocol, client, login, rights, banned
_REJECTIONS: Final = frozenset({0x90, 0x95, 0x99})  # topic, size, form
_NO_SUBSCRIBER: Final = 0x10


class MqttTransport:
    """A connection to an MQTT broker; see `Transport`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._context = tls_context(settings) if settings.tls else None
        self._client: paho.Client | None = None
        self._waiting: deque[Message] = deque()
        self._numbers: dict[int, int] = {}  # of what is out, by the packet's
        self._outcomes: list[Outcome] = []
        self._answer: Any = None  # the broker's word on our login
        self._gone = ""
        self._most_out = self._most_bytes = 0

    def connect(self, wait_s: float, /) -> None:
        """Connect and log in; see `Transport`."""
        self.close()
        host, port = self._settings.places[0]
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._settings.client_id or None,
            protocol=paho.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = wait_s
        client.max_inflight_messages_set(65_535)  # what is out is counted here
        if self._settings.user or self._settings.password:
            client.username_pw_set(self._settings.user, self._settings.password or None)
        if self._context is not None:
            client.tls_set_context(self._context)
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        client.on_disconnect = self._on_disconnect
        self._client, self._answer, self._gone = client, None, ""
        try:
            client.connect(host, port, keepalive=_KEEP_ALIVE_S)
            end = time.monotonic() + wait_s
            while self._answer is None:
                self._loop(0.05)
                if time.monotonic() > end:
                    raise TransportError("no answer")
        except ssl.SSLError as error:
            raise TransportError(f"TLS: {error.reason or error}", refused=True) from None
        except OSError as error:
            raise TransportError(error.strerror or str(error) or "no answer") from None
        if self._answer.is_failure:
            raise TransportError(str(self._answer), refused=self._answer.value in _REFUSALS)

    def send(self, messages: Sequence[Message], /) -> None:
        """Publish, as many at a time as the broker wants; see `Transport`."""
        self._waiting += messages
        self._publish()

    def poll(self, wait_s: float, /) -> list[Outcome]:
        """Return what the broker has acknowledged; see `Transport`."""
        if not self._outcomes:
            self._loop(wait_s)
        self._publish()
        done, self._outcomes = self._outcomes, []
        return done

    def close(self) -> None:
        """Disconnect; see `Transport`."""
        client, self._client = self._client, None
        self._waiting.clear()
        self._numbers.clear()
        self._outcomes.clear()
        if client is not None:
            client.on_disconnect = client.on_publish = None
            client.disconnect()
            client.loop(0.0)

    def _publish(self) -> None:
        while self._waiting and len(self._numbers) < self._most_out and self._client is not None:
            number, _, payload = self._waiting.popleft()
            topic = self._settings.target
            if len(payload) + len(topic.encode()) + _LEAST_OVERHEAD > self._most_bytes:
                self._outcomes.append((number, "rejected", _TOO_LARGE))
                continue
            info = self._client.publish(topic, payload, qos=1)
            if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                raise TransportError(self._gone or paho.error_string(info.rc))
            self._numbers[info.mid] = number

    def _loop(self, wait_s: float) -> None:
        assert self._client is not None
        result = self._client.loop(wait_s)
        if self._gone and self._answer is not None and not self._answer.is_failure:
            raise TransportError(self._gone)
        if result != MQTTErrorCode.MQTT_ERR_SUCCESS and (self._answer is None or not self._answer.is_failure):
            raise TransportError(self._gone or paho.error_string(result))

    def _on_connect(self, client: object, data: object, flags: object, reason: Any, properties: Any) -> None:
        self._answer = reason
        self._most_out = getattr(properties, "ReceiveMaximum", 65_535)
        self._most_bytes = getattr(properties, "MaximumPacketSize", 1 << 28)

    def _on_publish(self, client: object, data: object, packet: int, reason: Any, properties: Any) -> None:
        number = self._numbers.pop(packet, None)
        if number is None:
            return
        if not reason.is_failure or reason.value == _NO_SUBSCRIBER:
            self._outcomes.append((number, "acknowledged", ""))
        else:
            verdict: Verdict = "rejected" if reason.value in _REJECTIONS else "failed"
            self._outcomes.append((number, verdict, str(reason)))

    def _on_disconnect(
        self, client: object, data: object, flags: object, reason: Any, properties: Any
    ) -> None:
        self._gone = f"disconnected: {reason}"
