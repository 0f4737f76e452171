// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "utc.hpp"

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>

namespace pamtri::core {
namespace {

constexpr std::int64_t kSecond = 1'000'000, kDay = 86'400 * kSecond;

struct Date {
    std::int64_t year;
    int month, day;
};

/// Days since 1970 of a date, years counted from March so that the day of the leap year is last.
std::int64_t days_of(Date date) {
    const std::int64_t year = date.year - (date.month <= 2);
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const std::int64_t of_era = year - era * 400;
    const std::int64_t of_year = (153 * ((date.month + 9) % 12) + 2) / 5 + date.day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

Date date_of(std::int64_t days) {
    days += 719468;
    const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const std::int64_t day = days - era * 146097;
    const std::int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    const std::int64_t of_year = day - (365 * year + year / 4 - year / 100);
    const std::int64_t shifted = (5 * of_year + 2) / 153;
    const int month = static_cast<int>(shifted < 10 ? shifted + 3 : shifted - 9);
    return {year + era * 400 + (month <= 2), month,
            static_cast<int>(of_year - (153 * shifted + 2) / 5 + 1)};
}

/// Takes numbers of a fixed width from the front of a text; once one is not there, it has failed.
class Scanner {
  public:
    explicit Scanner(std::string_view text) : text_(text) {}

    bool take(char c) {
        if (text_.empty() || text_[0] != c) return false;
        text_.remove_prefix(1);
        return true;
    }

    /// A number of so many digits; 0 where it is not there.
    int digits(std::size_t width) {
        int value = 0;
        for (std::size_t i = 0; i < width; ++i) {
            if (!digit()) {
                failed_ = true;
                return 0;
            }
            value = 10 * value + (text_[0] - '0');
            text_.remove_prefix(1);
        }
        return value;
    }

    /// A number of two digits behind a mark.
    int behind(char mark) {
        if (!take(mark)) failed_ = true;
        return digits(2);
    }

    /// What stands behind a point, in microseconds; further digits are left out.
    std::int64_t fraction() {
        std::int64_t value = 0, unit = kSecond / 10;
        for (; digit(); text_.remove_prefix(1), unit /= 10) value += unit * (text_[0] - '0');
        return value;
    }

    /// Whether all was there, and nothing is left.
    bool done() const { return !failed_ && text_.empty(); }

  private:
    bool digit() const { return !text_.empty() && text_[0] >= '0' && text_[0] <= '9'; }
    std::string_view text_;
    bool failed_ = false;
};

}  // namespace

std::optional<std::string> utc_text(std::optional<Moment> start, double seconds) {
    if (!start || !(std::abs(seconds) < 1e12)) return {};
    // Ties to even, as Python's timedelta rounds.
    const Moment moment = *start + std::llrint(std::trunc(seconds)) * kSecond +
                          std::llrint((seconds - std::trunc(seconds)) * 1e6);
    const std::int64_t days = moment >= 0 ? moment / kDay : -((kDay - 1 - moment) / kDay);
    const Date date = date_of(days);
    if (date.year < 1 || date.year > 9999) return {};
    const std::int64_t of_day = moment - days * kDay;
    const int milliseconds = static_cast<int>(of_day % kSecond / 1000);
    const int second = static_cast<int>(of_day / kSecond);
    char text[64];
    std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                  static_cast<int>(date.year), date.month, date.day, second / 3600,
                  second / 60 % 60, second % 60, milliseconds);
    return text;
}

std::optional<Moment> moment_of(std::string_view text) {
    Scanner scan(text);
    const int year = scan.digits(4), month = scan.behind('-'), day = scan.behind('-');
    if (!scan.take('T') && !scan.take(' ')) return {};
    const int hour = scan.digits(2), minute = scan.behind(':'), second = scan.behind(':');
    const std::int64_t fraction = scan.take('.') ? scan.fraction() : 0;
    std::int64_t offset = 0;  // minutes
    const bool east = scan.take('+');
    if (east || scan.take('-')) {
        const int hours = scan.digits(2), minutes = scan.behind(':');
        offset = (east ? 1 : -1) * (60 * hours + minutes);
    } else {
        scan.take('Z');
    }
    const bool exists = year >= 1 && month >= 1 && month <= 12 && day >= 1 && hour < 24 &&
                        minute < 60 && second < 60;
    if (!exists || !scan.done()) return {};
    const std::int64_t days = days_of({year, month, day});
    if (date_of(days).day != day) return {};  // the month has no such day
    const std::int64_t minutes = 60 * hour + minute - offset;
    return days * kDay + (60 * minutes + second) * kSecond + fraction;
}

}  // namespace pamtri::core
