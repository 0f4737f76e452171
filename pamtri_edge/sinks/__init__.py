# SPDX-FileCopyrightText: The pamtri-edge authors
# SPDX-License-Identifier: Apache-2.0
"""Events to files and brokers: at least once, in order for each track.

What waits, is sent, and is sent again is decided in C++ (pipelines/sinks), for GStreamer's elements too; here
are the clients of brokers that Python has.
"""
