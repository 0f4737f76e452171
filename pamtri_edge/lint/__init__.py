# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Examines configurations of DeepStream, against the bundle that they run: `pamtri lint`."""

from __future__ import annotations

from pamtri_edge.lint.check import Options, Report, lint_files
from pamtri_edge.lint.finding import Finding, Insert, Replace

__all__ = ["Finding", "Insert", "Options", "Replace", "Report", "lint_files"]
