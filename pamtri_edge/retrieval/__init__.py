# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Labelled sets of vehicle pictures, and how well a ranking of them finds each vehicle again."""
