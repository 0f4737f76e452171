# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""What is painted on the surface: glass, lamps, faces, plates, marks."""
