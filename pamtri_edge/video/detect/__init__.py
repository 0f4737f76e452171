# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Vehicles in single pictures: networks in ONNX form, of whatever layout their programs export.

`detection` says what a detector gives; `network` opens and runs one; `layout` and `several` decide its
layout, from `graph` and `ending`; `picture` and `decoding` are the arithmetic before and behind it; `classes`
says which are vehicles.
"""
