// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Which DeepStream the fakes are laid out as: 9, or 8 or 7.1 where that is asked for.
#pragma once

#ifndef FAKE_NVDS_MAJOR
#define FAKE_NVDS_MAJOR 9
#endif
#define NVDS_VERSION_MAJOR FAKE_NVDS_MAJOR
#define NVDS_VERSION_MINOR (FAKE_NVDS_MAJOR == 8 ? 0 : 1)
