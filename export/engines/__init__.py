# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Engines for this machine's GPU, made at export, judged and timed."""
