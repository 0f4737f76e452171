# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Synthetic vehicles: shapes made from numbers, pictures rendered from them, and labels that are exact."""
