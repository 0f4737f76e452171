# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Re-identification networks that were made elsewhere, as ONNX files, and bundles of them.

`specification` says what a person tells of one; `file` reads it; `form` finds its picture and its embedding;
`plain` takes off what only trains; `batch` makes its batch dynamic, with `carried`; `adapt` makes its types
float32 and its operators those of one opset; `fuse` puts what all bundles have around it; `reference` runs
the file as it was given; `bundle` is the export.
"""
