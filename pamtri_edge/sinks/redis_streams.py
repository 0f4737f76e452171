# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Streams of Redis, by redis-py: an entry an event, with the fields `key` and `event`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from pamtri_edge._sinks import Settings
from pamtri_edge.sinks.transport import Message, Outcome, TransportError, tls_context

_MOST_AT_ONCE: Final = 64
_LOGIN: Final = ("NOAUTH", "WRONGPASS", "NOPERM")


class RedisTransport:
    """A connection to a Redis server; see `Transport`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        host, port = settings.places[0]
        options: dict[str, Any] = {}
        if settings.tls:
            tls_context(settings)  # a file that is no certificate is told at once
            options = {
                "ssl": True,
                "ssl_cert_reqs": "required",
                "ssl_check_hostname": True,
                "ssl_ca_certs": settings.ca or None,
                "ssl_certfile": settings.certificate or None,
                "ssl_keyfile": settings.key or None,
            }
        self._client = redis.Redis(
            host=host,
            port=port,
            db=settings.database,
            username=settings.user or None,
            password=settings.password or None,
            socket_timeout=settings.timeout_s,
            socket_connect_timeout=min(settings.timeout_s, 5.0),
            retry=Retry(NoBackoff(), 0),  # what is sent again is decided elsewhere
            single_connection_client=False,
            **options,
        )
        self._outcomes: list[Outcome] = []

    def connect(self, wait_s: float, /) -> None:
        """Connect and log in; see `Transport`."""
        self.close()
        try:
            self._client.ping()
        except Exception as error:  # redis-py fails in many ways at what is no Redis
            raise _lost(error) from None

    def send(self, messages: Sequence[Message], /) -> None:
        """Append and wait for the answers, some at a time; see `Transport`."""
        for first in range(0, len(messages), _MOST_AT_ONCE):
            part = messages[first : first + _MOST_AT_ONCE]
            try:
                with self._client.pipeline(transaction=False) as pipeline:
                    for _, key, payload in part:
                        pipeline.xadd(
                            self._settings.target,
                            {"key": key, "event": payload},
                            maxlen=self._settings.maxlen or None,
                            approximate=True,
                        )
                    answers = pipeline.execute(raise_on_error=False)
            except Exception as error:  # as above
                raise _lost(error) from None
            for (number, _, _), answer in zip(part, answers, strict=True):
                if isinstance(answer, Exception):
                    if _is_refusal(answer):
                        raise _lost(answer)
                    self._outcomes.append((number, "failed", str(answer)))
                else:
                    self._outcomes.append((number, "acknowledged", ""))

    def poll(self, wait_s: float, /) -> list[Outcome]:
        """Return the answers; see `Transport`."""
        done, self._outcomes = self._outcomes, []
        return done

    def close(self) -> None:
        """Disconnect; see `Transport`."""
        self._outcomes.clear()
        self._client.connection_pool.disconnect()


def _is_refusal(error: Exception) -> bool:
    return isinstance(error, (redis.AuthenticationError, redis.exceptions.NoPermissionError)) or str(
        error
    ).startswith(_LOGIN)


def _lost(error: Exception) -> TransportError:
    if isinstance(error, redis.InvalidResponse) or not isinstance(error, (redis.RedisError, OSError)):
        # Not in the client's words, which quote all that came.
        return TransportError("it does not speak Redis's protocol")
    cause = error.__cause__ or error.__context__
    plain = getattr(cause, "strerror", None) if isinstance(cause, OSError) else None
    tls = "SSL" in str(error) or "CERTIFICATE" in str(error)
    return TransportError(str(plain if plain and not tls else error), refused=_is_refusal(error) or tls)
