// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace test {

/// Let engines that are being built wait, or go on.
void hold_builds(bool hold);

/// How many fakes were opened so far, are open now, and how many vehicles they described.
int networks_opened();
int networks_open();
int views_described();

}  // namespace test
