# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Rules for deepstream-app and deepstream-test5: what joins the groups. Read in their source (9.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pamtri_edge.lint.app_keys import GROUPS, NAMES, key_of, sort_of
from pamtri_edge.lint.document import Document, Group
from pamtri_edge.lint.file_rules import check_file
from pamtri_edge.lint.finding import Finding
from pamtri_edge.lint.shape_rules import check_keys
from pamtri_edge.lint.vocabulary import integer, nearest
from pamtri_edge.printable import printable

READER: Final = "deepstream-app"
_COLORS: Final = ("bbox-border-color", "bbox-bg-color")
_MULTIPLE: Final = "3"
_BROKER: Final = "6"


def is_enabled(group: Group | None) -> bool:
    """Tell whether the application reads a group: most are off without `enable`."""
    if group is None:
        return False
    sort = sort_of(group.name)
    if sort is None:
        return False
    entry = group.get("enable")
    if "enable" not in GROUPS[sort] or (entry is None and group.get("csv-file-path") is not None):
        return True
    return entry is not None and bool(integer(entry.value))


def engines(document: Document) -> list[Group]:
    """Return the enabled groups of engines, the primary one first."""
    found = [g for g in document.groups if sort_of(g.name) == "gie" and is_enabled(g)]
    return sorted(found, key=lambda group: group.name != "primary-gie")


def check_app(document: Document, *, look: bool) -> Iterator[Finding]:
    """Give findings about a file of deepstream-app or deepstream-test5.

    Args:
        document: the file.
        look: whether files are looked for.
    """
    for group in document.groups:
        yield from _group(group, look)
    yield from _ids(document)
    yield from _sources(document)


def _group(group: Group, look: bool) -> Iterator[Finding]:
    sort = sort_of(group.name)
    if sort is None:
        yield _strange(group)
        return
    if group.syntax == "yaml" and sort == "source" and group.name != "source":
        yield group.finding(
            "source-name",
            f"in YAML the application reads sources from a table alone and passes over {group.name}.",
            "Write source: with csv-file-path: FILE.csv, a line for each source; or a key file.",
        )
        return
    known = GROUPS[sort]
    if not is_enabled(group) and not _lacks_enable(group):
        return
    names = (*known, *_COLORS) if sort == "gie" else tuple(known)
    yield from check_keys(group, lambda name: key_of(sort, name), names, READER)
    if _lacks_enable(group):
        if not any(nearest(entry.key, names) == "enable" for entry in group.entries):
            yield group.finding(
                "missing-key",
                f"without enable the group is passed over: {group.name} is off.",
                "Add enable=1 (or 0, to say that it is meant).",
                key="enable",
                severity="warning",
                edits=group.with_key("enable", "1"),
            )
        return
    if sort == "gie" and group.get("config-file") is None:
        yield group.finding(
            "missing-key",
            "an engine without config-file: the application does not start.",
            "Add config-file=FILE, the configuration of nvinfer.",
            key="config-file",
        )
    if sort == "sink":
        yield from _broker(group)
    if look:
        yield from _files(group, sort)


def _lacks_enable(group: Group) -> bool:
    sort = sort_of(group.name)
    needed = sort is not None and "enable" in GROUPS[sort] and group.get("csv-file-path") is None
    return needed and group.get("enable") is None


def _strange(group: Group) -> Finding:
    shown = printable(group.name)
    if group.name.startswith("source"):
        return group.finding(
            "source-name",
            f"[{shown}] is not a source and a number, and the application does not start.",
            "Write [source0], [source1] and so on.",
        )
    near = nearest(group.name.rstrip("0123456789"), [name.rstrip("0123456789") for name in NAMES])
    problem = f"{READER} knows no group {shown!r} and passes over it with all its keys."
    if near is None:
        return group.finding("unknown-group", problem, "Remove it, or look its name up.", severity="warning")
    number = group.name[len(group.name.rstrip("0123456789")) :]
    meant = near + (number or ("0" if f"{near}0" in NAMES else ""))
    return group.finding("unknown-group", problem, f"Write {meant}.", edits=group.renamed(meant))


def _files(group: Group, sort: str) -> Iterator[Finding]:
    for entry in group.entries:
        key = key_of(sort, entry.key)
        if key is not None and key.kind in ("file", "files") and group.get(entry.key) is entry:
            yield from check_file(entry, several=key.kind == "files")
    uri = group.get("uri")
    if uri is not None and uri.value.startswith("file://") and not set("%*?") & set(uri.value):
        yield from check_file(uri)


def _broker(group: Group) -> Iterator[Finding]:
    kind = group.get("type")
    if kind is None or kind.value != _BROKER:
        return
    if group.get("msg-broker-proto-lib") is None:
        yield group.finding(
            "missing-key",
            "a sink of type 6 sends to a broker; without its adapter the application does not start.",
            "Add msg-broker-proto-lib=FILE.so.",
            key="msg-broker-proto-lib",
        )


def _ids(document: Document) -> Iterator[Finding]:
    """Look at the ids of engines: two alike end the application, one that none has leaves an engine out."""
    groups = engines(document)
    seen: dict[str, str] = {}
    for group in groups:
        entry = group.get("gie-unique-id")
        number = "0" if entry is None else entry.value
        if number in seen:
            said = f"gie-unique-id is {number} here and in [{seen[number]}]"
            if entry is None:
                said = f"gie-unique-id is not given here and in [{seen[number]}], which means 0"
            problem = f"{said}: the application does not start (Non unique gie ids found)."
            change = "Give every engine an id of its own."
            yield (entry or group).finding("unique-id", problem, change, key="gie-unique-id")
        seen.setdefault(number, group.name)
    if not groups or groups[0].name != "primary-gie":
        return
    key = "operate-on-gie-id"
    for group in groups[1:]:
        entry = group.get(key)
        number = "0" if entry is None else entry.value
        if number not in seen or seen[number] == group.name:
            problem = (
                f"no other enabled engine has gie-unique-id {number}: the application leaves [{group.name}] "
                "out without a word."
            )
            change = "Name the id of the engine that finds the objects."
            primary = groups[0].get("gie-unique-id")
            edits = group.with_key(key, primary.value) if entry is None and primary is not None else ()
            yield (entry or group).finding("operate-on", problem, change, key=key, edits=edits)


def _sources(document: Document) -> Iterator[Finding]:
    muxer = document.group("streammux")
    sources = [g for g in document.groups if sort_of(g.name) == "source" and is_enabled(g)]
    if (
        muxer is None
        or document.group("source-list") is not None
        or any(g.get("csv-file-path") for g in sources)
    ):
        return
    count = sum(_streams(group) for group in sources)
    batch = muxer.get("batch-size")
    size = None if batch is None else integer(batch.value)
    if batch is not None and size is not None and 0 < size < count:
        yield batch.finding(
            "batch-of-sources",
            f"batch-size is {size}, and there are {count} sources: their frames come in several batches, and "
            "every engine runs as often.",
            f"Write batch-size={count}.",
            severity="warning",
            edits=batch.with_value(str(count)),
        )


def _streams(group: Group) -> int:
    kind, count = group.get("type"), group.get("num-sources")
    if kind is None or kind.value != _MULTIPLE or count is None:
        return 1
    return max(integer(count.value) or 1, 1)
