# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""From a video to an event for each tracked vehicle.

The way of the data: `sources` give frames; `follow` gives the boxes of tracks in them, from a file or from
a detector and a tracker; `gate` measures which views are worth the network; `journal` has them embedded in
batches and made one answer for each track; `run` joins these and hands events and pictures to `write`.
"""
