// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "check.hpp"

int main(int count, char** arguments) { return test::run({arguments + 1, arguments + count}); }
