# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What one vehicle is, as numbers and choices drawn from a seed."""
