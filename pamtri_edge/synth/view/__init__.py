# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From a surface to a picture with its labels: camera, light, street, sensor."""
