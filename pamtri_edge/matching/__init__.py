# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Which events of cameras are compared, and which pairs of them may be one vehicle."""
