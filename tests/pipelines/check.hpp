// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// Tests as functions: TEST(a_sentence) { EXPECT(...); }. The program runs those that are named, or
// all, and ends with 1 if one failed. A program with a main of its own can use the rest.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace test {

struct Registered {
    Registered(const char* name, void (*body)());
};

/// Run the tests of these names, or all for none; 1 if one failed, else 0.
int run(const std::vector<std::string>& wanted);

/// What a check that failed throws, once it has told.
struct Failed {};

/// What must hold after every test; each program defines it.
void afterwards();

[[noreturn]] void fail(const char* file, int line, const std::string& what);

/// Expect an EngineError whose text has all these parts, and no newline.
void expect_error(const char* file, int line, const std::function<void()>& action,
                  const std::vector<std::string>& parts);

}  // namespace test

#define TEST(name)                                        \
    static void name();                                   \
    static const test::Registered of_##name(#name, name); \
    static void name()
#define EXPECT(condition)                                             \
    do {                                                              \
        if (!(condition)) test::fail(__FILE__, __LINE__, #condition); \
    } while (false)
#define EXPECT_ERROR(action, ...) \
    test::expect_error(__FILE__, __LINE__, [&] { action; }, {__VA_ARGS__})
