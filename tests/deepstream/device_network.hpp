// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace test {

/// How many networks were opened so far and are open now, and how many pictures were described on
/// the device, in how many batches; and how many engines were built.
struct Networks {
    int opened = 0, open = 0, described = 0, batches = 0, built = 0;
};
Networks networks();

/// Let networks that are being opened wait, or go on.
void hold_loading(bool hold);

}  // namespace test
