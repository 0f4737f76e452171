# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""An exported file held against PyTorch in float32, on crops, and its golden crops."""
