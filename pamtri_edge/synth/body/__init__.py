# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From the numbers to a surface: triangles, and the 36 keypoints on them."""
