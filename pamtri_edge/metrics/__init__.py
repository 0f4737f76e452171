# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""How well a ranking finds each vehicle again, and what distance it ranks by."""
