# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From a module to one typed ONNX graph: writing it, rules, precision, what int8 is fitted to."""
