# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Data sets, one reader a layout: VeRi, CityFlow, folders of pictures, tracks of videos."""
