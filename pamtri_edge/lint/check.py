# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Examining configurations: each file by the rules of its kind, and the files of nvinfer that it names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from pamtri_edge.errors import InputError
from pamtri_edge.lint import nvinfer_keys, postprocess_keys
from pamtri_edge.lint.app_rules import check_app, engines, is_enabled
from pamtri_edge.lint.bundle_rules import check_bundle
from pamtri_edge.lint.document import Document, Entry, Group
from pamtri_edge.lint.elements import NVINFER_KEYS
from pamtri_edge.lint.file_rules import check_file, is_there
from pamtri_edge.lint.finding import Finding
from pamtri_edge.lint.nvinfer_rules import check_groups, check_nvinfer
from pamtri_edge.lint.pipeline_rules import Element, check_pipeline, elements_of, named_file
from pamtri_edge.lint.reading import Configuration, read_configuration
from pamtri_edge.lint.subject import Subject
from pamtri_edge.lint.target import target_of

_SET_BY_APP: Final = (
    "batch-size",
    "model-engine-file",
    "gie-unique-id",
    "operate-on-gie-id",
    "operate-on-class-ids",
    "interval",
    "gpu-id",
)
"""Keys of an application's group of an engine that replace those of nvinfer's file."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How configurations are examined.

    Attributes:
        bundle: what configurations of its network are examined against; None for the bundle that they name,
            or else the default one.
        look: whether files that are named are looked for.
    """

    bundle: Path | None = None
    look: bool = True


@dataclass
class Report:
    """What was found.

    Attributes:
        findings: by file and line.
        examined: the files that were examined, those that others name included.
        passed_over: files that lint knows but does not examine, with what they are.
        unreadable: files that could not be read, with why.
    """

    findings: list[Finding] = field(default_factory=list)
    examined: list[Path] = field(default_factory=list)
    passed_over: dict[Path, str] = field(default_factory=dict)
    unreadable: dict[Path, str] = field(default_factory=dict)


def lint_files(paths: Iterable[Path], options: Options) -> Report:
    """Examine configurations, and those of nvinfer that they name.

    Args:
        paths: the files.
        options: how.

    Raises:
        BundleError: the bundle to examine against cannot be opened.
        MissingDependencyError: a file is YAML, and PyYAML is not installed.
    """
    report = Report()
    given = list(dict.fromkeys(paths))
    examination = _Examination(options, report, {_same(path) for path in given})
    for path in given:
        examination.file(path)
    order = {path: at for at, path in enumerate(report.examined)}
    unique = dict.fromkeys(report.findings)
    report.findings[:] = sorted(unique, key=lambda one: (order.get(one.path, len(order)), one.line))
    return report


def _same(path: Path) -> Path:
    return path.absolute().resolve() if _exists(path) else path.absolute()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


@dataclass
class _Examination:
    options: Options
    report: Report
    given: set[Path]
    named: set[Path] = field(default_factory=set)

    def file(self, path: Path) -> None:
        """Examine a file that was named on the command line."""
        found = self._read(path)
        if found is None:
            return
        if isinstance(found, Finding):
            self.report.findings.append(found)
            return
        self.report.findings += found.document.findings
        self.report.findings += self._by_kind(found)

    def _read(self, path: Path) -> Configuration | Finding | None:
        try:
            found = read_configuration(path)
        except InputError as error:
            self.report.unreadable[path] = str(error)
            return None
        if isinstance(found, Configuration) and found.kind not in _KINDS:
            self.report.passed_over[path] = found.kind
            return None
        if path not in self.report.examined:
            self.report.examined.append(path)
        return found

    def _by_kind(self, found: Configuration) -> Iterator[Finding]:
        document = found.document
        if found.kind == "nvinfer":
            yield from check_groups(document)
            yield from self._nvinfer(self._subject(document, {}, asked=True))
        elif found.kind == "nvdspostprocess":
            yield from _postprocess(document, self.options.look)
        elif found.kind == "deepstream-app":
            yield from check_app(document, look=self.options.look)
            yield from self._engines_of_app(document)
        elif found.tree is not None:
            yield from check_pipeline(found.path, found.tree, look=self.options.look)
            for element in elements_of(found.path, found.tree):
                if element.kind == "nvinfer":
                    yield from self._engine_of_pipeline(element)

    def _subject(
        self,
        document: Document,
        outside: Mapping[str, Entry],
        *,
        asked: bool = False,
        secondary: bool = False,
    ) -> Subject | None:
        """Return what the rules for nvinfer look at; None for a file without `[property]`."""
        group = document.group(nvinfer_keys.PROPERTY)
        if group is None:
            return None
        subject = Subject(document, group, outside, look=self.options.look, secondary=secondary)
        return replace(subject, target=target_of(subject.get, self.options.bundle, asked=asked))

    def _nvinfer(self, subject: Subject | None) -> Iterator[Finding]:
        if subject is not None:
            yield from check_nvinfer(subject)
            yield from check_bundle(subject)

    def _engines_of_app(self, document: Document) -> Iterator[Finding]:
        tracked = is_enabled(document.group("tracker"))
        for group in engines(document):
            entry = group.get("config-file")
            plugin = group.get("plugin-type")
            if entry is None or not entry.value or (plugin is not None and plugin.value != "0"):
                continue
            outside = {key: found for key in _SET_BY_APP if (found := group.get(key)) is not None}
            inner = self._followed(entry.named_path)
            if inner is None:
                continue
            subject = self._subject(inner, outside, secondary=group.name != "primary-gie")
            yield from self._nvinfer(subject)
            if subject is not None and subject.secondary and subject.target.bundle is not None:
                yield from _around_bundle(document, group, tracked)

    def _engine_of_pipeline(self, element: Element) -> Iterator[Finding]:
        entry = element.group.get("config-file-path")
        path = None if entry is None or not entry.value else named_file(entry)
        if entry is None or path is None:
            return
        outside = {
            key: found for name, key in NVINFER_KEYS.items() if (found := element.group.get(name)) is not None
        }
        inner = self._followed(path)
        if inner is not None:
            yield from self._nvinfer(self._subject(inner, outside))

    def _followed(self, path: Path) -> Document | None:
        """Return the file of nvinfer that another names, its own findings told once."""
        if not is_there(path) or not _exists(path):
            return None
        found = self._read(path)
        if isinstance(found, Finding):
            self.report.findings.append(found)
            return None
        if found is None or found.kind != "nvinfer":
            return None
        if _same(path) not in self.given | self.named:
            self.named.add(_same(path))
            self.report.findings += found.document.findings
            self.report.findings += check_groups(found.document)
        return found.document


def _postprocess(document: Document, look: bool) -> Iterator[Finding]:
    keys, class_keys = postprocess_keys.PROPERTY_KEYS, postprocess_keys.CLASS_KEYS
    yield from check_groups(document, keys, class_keys, "nvdspostprocess")
    group = document.group(nvinfer_keys.PROPERTY)
    labels = None if group is None else group.get("labelfile-path")
    if look and labels is not None:
        yield from check_file(labels)


def _around_bundle(document: Document, group: Group, tracked: bool) -> Iterator[Finding]:
    if not tracked:
        yield group.finding(
            "no-tracker",
            "no tracker is enabled: without track ids every vehicle is inferred in every frame, and "
            "embeddings belong to no track.",
            "Enable [tracker].",
            severity="warning",
        )
    for sink in document.groups:
        api = sink.get("msg-conv-msg2p-new-api")
        if api is not None and is_enabled(sink) and api.value not in ("0", "false"):
            yield api.finding(
                "embedding-lost",
                "the converter's new form of messages has no embeddings: none reaches the broker.",
                "Write msg-conv-msg2p-new-api=0.",
                severity="warning",
                edits=api.with_value("0"),
            )


_KINDS: Final = ("nvinfer", "nvdspostprocess", "deepstream-app", "service-maker")
