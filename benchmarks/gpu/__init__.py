# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What the measurements on a GPU share: clocks, memory, results, the paths and cases that are measured."""
