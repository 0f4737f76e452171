# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""A bundle under PyTorch, node by node, in the types that its file states."""
