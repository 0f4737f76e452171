# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From a plan to a folder of pictures and labels, and contact sheets of it."""
