# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Network addresses: what of one may be shown, and what a library is given to open.

Cameras take their passwords in every part of an address: before the host, unescaped, as a part of the path,
in the query. What is shown is therefore not the address without what looks like a password, but the few parts
that are known to be none: scheme, host, port, and a path or query made of the usual words.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from pamtri_edge.printable import printable

HIDDEN: Final = "***"

_ADDRESS: Final = re.compile(r"\s*([a-z][a-z0-9+.-]*)://(.*)", re.IGNORECASE | re.DOTALL)
_IN_TEXT: Final = re.compile(r"[a-z][a-z0-9+.-]*:/{1,2}\S+", re.IGNORECASE)
_HOST: Final = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?", re.IGNORECASE)
_QUOTED: Final = re.compile(r"[\s/?#@\[\]]|%(?![0-9a-fA-F]{2})")

# Words of cameras' addresses, longer ones first.
_WORD: Final = (
    "multicast|recording|secondary|streaming|channels|snapshot|channel|monitor|preview|"
    "primary|profile|streams|trackid|unicast|camera|images|mpegts|stream|videos|front|"
    "https|image|index|major|media|minor|mjpeg|mpeg4|onvif|right|track|video|axis|back|"
    "clip|feed|h264|h265|hevc|high|http|jpeg|left|live|m3u8|main|mjpg|mpeg|play|real|"
    "rtmp|rtsp|view|webm|amp|avc|bin|cam|cgi|flv|hls|jpg|low|mkv|mov|mp4|sdp|smp|"
    "sub|av|ch|ts|v"
)
# Usual sizes of pictures: of any two numbers with an x between them somebody may have made a password.
_SIZE: Final = (
    "320x240|352x288|640x360|640x480|704x480|704x576|800x600|1024x768|1280x720|1280x960|1600x1200|"
    "1920x1080|2048x1536|2304x1296|2560x1440|2592x1944|2688x1520|3840x2160"
)
_HARMLESS: Final = re.compile(rf"((({_WORD})[0-9]{{0,2}})+|[0-9]{{1,3}}|{_SIZE})", re.IGNORECASE)
_KEY: Final = re.compile(
    "channel|ch|cam|camera|subtype|stream|streamtype|profile|resolution|res|fps|framerate|"
    "codec|videocodec|quality|compression|transport|transportmode|unicast|proto|width|"
    "height|bitrate",
    re.IGNORECASE,
)
_USER_INFO: Final = re.compile(r"[^\s:@/]*:[^\s]*@")
_ASSIGNED: Final = re.compile(
    r"[?&;][^\s=&;]*=|\b(user|usr|pass|pwd|token|key|auth|secret)\w*=", re.IGNORECASE
)
_KNOWN_SUFFIX: Final = re.compile(r"\.(mp4|m4v|mov|mkv|avi|webm|ts|m3u8|sdp)$", re.IGNORECASE)


@dataclass(frozen=True)
class Address:
    """An address, taken apart as its writer meant it.

    Attributes:
        scheme: such as "rtsp", in small letters.
        user_info: user name and password as they were written; "" for none.
        host: name or number, IPv6 in brackets; "" where it cannot be told which part it is.
        port: ":554", or "".
        rest: path, query and fragment.
        sure: False where the host may be a part of a password.
    """

    scheme: str
    user_info: str
    host: str
    port: str
    rest: str
    sure: bool = True

    @property
    def to_open(self) -> str:
        """The address as a library understands it: user and password with what would end them escaped."""
        info = ""
        if self.user_info:
            user, colon, password = self.user_info.partition(":")
            info = f"{_escaped(user)}{colon}{_escaped(password)}@"
        return f"{self.scheme}://{info}{self.host}{self.port}{self.rest}"

    @property
    def shown(self) -> str:
        """The address with everything hidden that may be a secret."""
        info = f"{HIDDEN}@" if self.user_info else ""
        place = f"{self.host}{self.port}" if self.sure and self.host + self.port else HIDDEN
        return printable(f"{self.scheme}://{info}{place}{_shown_rest(self.rest)}")

    @property
    def name(self) -> str:
        """A name for the camera: its host, never a user's name; "stream" where that cannot be told."""
        return printable(self.host.strip("[]")) if self.sure and self.host else "stream"


def is_address(text: str) -> bool:
    """Tell whether a text is a network address rather than a path."""
    return _ADDRESS.fullmatch(text) is not None


def parse_address(text: str) -> Address:
    """Take an address apart.

    A password may hold unescaped characters that end the user's part of an address for a library: then
    the last "@" is what stands before the host, if what stands behind the first is no host.

    Raises:
        ValueError: it is no address.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None:
        raise ValueError("no address")  # without the text: it may hold a password
    scheme, body = match[1].lower(), match[2].rstrip()
    at_rest = re.search(r"[/?#]", body)
    authority, rest = (body[: at_rest.start()], body[at_rest.start() :]) if at_rest else (body, "")
    plain = _placed(authority)
    last = _by_last_at(body) if "@" in rest else None
    if last is not None and (plain is None or _is_certain(last, rest)):
        user_info, (host, port), behind = last
        return Address(scheme, user_info, host, port, behind)
    if plain is None:
        return Address(scheme, "", "", "", body, sure=False)
    user_info, _, _ = authority.rpartition("@")
    doubtful = last is not None and not _is_number(plain[0])
    return Address(scheme, user_info, *plain, rest, sure=not doubtful)


def redact(text: str) -> str:
    """Return a text that may be an address, well-formed or not, with what may be secret in it hidden.

    A path is returned as it is, except for what is no printable text.
    """
    if is_address(text):
        return parse_address(text).shown
    shown = text
    if _USER_INFO.search(shown):  # an address whose scheme is missing or mistyped
        shown = HIDDEN + "@" + shown.rpartition("@")[2]
    found = _ASSIGNED.search(shown)
    return printable(shown if found is None else shown[: found.start()] + HIDDEN)


def redact_text(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a longer text with every address in it redacted.

    Args:
        text: such as a library's error.
        secrets: addresses, which may hold spaces, to be looked for as they are.
    """
    for secret in sorted(set(secrets), key=len, reverse=True):
        if secret and redact(secret) != printable(secret):
            text = text.replace(secret, redact(secret))
    return _IN_TEXT.sub(lambda match: _redact_word(match[0]), text)


def _redact_word(word: str) -> str:
    body = word.rstrip("'\")]},;.:!")
    if HIDDEN in body and redact(body.replace(HIDDEN, "v")) == body.replace(HIDDEN, "v"):
        return word
    return redact(body) + word[len(body) :]


def _escaped(text: str) -> str:
    return _QUOTED.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), text)


def _placed(authority: str) -> tuple[str, str] | None:
    """Return host and port of "user:password@host:port"; None where that is no host."""
    place = authority.rpartition("@")[2]
    match = re.fullmatch(r"(\[[0-9a-fA-F:.%\w]+\]|[^:\[\]]*)(:(\d*))?", place)
    if match is None or (match[3] and int(match[3]) > 65_535):
        return None
    host = match[1]
    if host.startswith("["):
        try:
            ipaddress.ip_address(host[1:-1].partition("%")[0])
        except ValueError:
            return None
    elif not _HOST.fullmatch(host) and not (host == "" and match[2] is not None):  # udp://:1234
        return None
    return host, match[2] or ""


def _by_last_at(body: str) -> tuple[str, tuple[str, str], str] | None:
    """Return user and password, host and port, and the rest, when the last "@" stands before the host."""
    user_info, _, behind = body.rpartition("@")
    end = re.search(r"[/?#]", behind)
    place = _placed(behind[: end.start()] if end else behind)
    return None if place is None else (user_info, place, behind[end.start() :] if end else "")


def _is_certain(last: tuple[str, tuple[str, str], str], rest: str) -> bool:
    """Tell whether what stands behind the last "@" is the host, although another host is possible."""
    user_info, (host, _), _ = last
    if ":" not in user_info or "=" in rest.partition("@")[0]:
        return False
    return _is_number(host) or host == "localhost"


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _shown_rest(rest: str) -> str:
    before, mark, _ = rest.partition("#")
    path, question, query = before.partition("?")
    shown = path
    if not all(_is_harmless(part) for part in path.split("/") if part):
        suffix = _KNOWN_SUFFIX.search(path)
        shown = f"/{HIDDEN}{suffix[0] if suffix else ''}"
    if question:
        shown += "?" + "&".join(_shown_pair(pair) for pair in query.split("&"))
    return shown + (f"#{HIDDEN}" if mark else "")


def _is_harmless(part: str) -> bool:
    return all(_HARMLESS.fullmatch(word) for word in re.split(r"[_.=-]", part) if word)


def _shown_pair(pair: str) -> str:
    key, equals, value = pair.partition("=")
    if not equals or not _KEY.fullmatch(key):
        return HIDDEN
    return f"{key}{equals}{value if not value or _is_harmless(value) else HIDDEN}"
