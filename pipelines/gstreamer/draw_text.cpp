// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "draw_text.hpp"

#include <cmath>
#include <cstdlib>

namespace pamtri::gst {

namespace {

// On a grid 4 wide, baseline at 6: capitals reach to 0, small letters to 2, tails to 8.
constexpr double kBaseline = 6, kTail = 2, kAdvance = 5.5;
constexpr double kThinnest = 1.25;  // pixels that a line is wide at least
constexpr double kStroke = 0.75;    // of the grid's unit

/// The lines of each character from ' ' to '~': points as pairs of digits x, y; lines with spaces.
constexpr const char* kLines[] = {
    "",
    "2024 26",
    "1012 3032",
    "1016 3036 0242 0444",
    "413010010213334445361605 2026",
    "4006 0010110100 3545463635",
    "4612112031320405162644",
    "2022",
    "30222436",
    "10222416",
    "2125 1234 1432",
    "2125 0343",
    "2617",
    "1333",
    "26",
    "4006",
    "103041453616050110",
    "112026 1636",
    "01103041420646",
    "0110304142334445361605 2333",
    "36300444",
    "400002324345361605",
    "413010010516364544331304",
    "00404116",
    "13020110304142331304051636454433",
    "051636454130100102133342",
    "23 26",
    "23 2617",
    "411345",
    "0242 0444",
    "013305",
    "01103041422324 26",
    "3424132232344441301001051646",
    "062046 1434",
    "030030414233030636454433",
    "4130100105163645",
    "00304145360600",
    "40000646 0333",
    "400006 0333",
    "41301001051636454323",
    "0006 4046 0343",
    "1030 2026 1636",
    "4045361605",
    "0006 4004 1346",
    "000646",
    "0600234046",
    "06004640",
    "103041453616050110",
    "06003041423303",
    "103041453616050110 2446",
    "06003041423303 2346",
    "413010010213334445361605",
    "0040 2026",
    "000516364540",
    "002640",
    "0016233640",
    "0046 4006",
    "002340 2326",
    "00400646",
    "30202636",
    "0046",
    "10202616",
    "022042",
    "0747",
    "1021",
    "4246 4332120305163645",
    "0006 0312324345361605",
    "4332120305163645",
    "4046 4332120305163645",
    "044443321203051636",
    "40302126 1242",
    "4247381807 4332120305163645",
    "0006 0312324346",
    "2226 20",
    "22271808 20",
    "0006 4205 1446",
    "202536",
    "0206 03122326 23324346",
    "0206 0312324346",
    "123243453616050312",
    "0208 0312324345361605",
    "4248 4332120305163645",
    "0206 03123243",
    "43321203143445361605",
    "20253646 0242",
    "0205163645 4246",
    "022642",
    "0216233642",
    "0246 4206",
    "0226 4218",
    "02420646",
    "30212213242536",
    "2028",
    "10212233242516",
    "04133443",
};
constexpr const char* kUnknown = "0040460600";
static_assert(sizeof kLines / sizeof *kLines == '~' - ' ' + 1);

/// The lines of each character of a text in UTF-8; bytes that are none are skipped.
template <typename Action>
void each_character(const std::string& text, const Action& action) {
    for (const char character : text) {
        const auto byte = static_cast<unsigned char>(character);
        if (byte >= 0x80 && byte < 0xC0) continue;  // it goes on
        action(byte >= ' ' && byte <= '~' ? kLines[byte - ' '] : kUnknown);
    }
}

double stroke_of(double unit) { return std::max(kThinnest, kStroke * unit); }

}  // namespace

core::TextSize text_size(const std::string& text, double height) {
    int count = 0;
    each_character(text, [&count](const char*) { ++count; });
    const double unit = height / kBaseline, half = stroke_of(unit) / 2;
    return {static_cast<int>(std::ceil((count * kAdvance + 1) * unit)),
            static_cast<int>(std::ceil(height + half)),
            static_cast<int>(std::ceil(kTail * unit + half))};
}

void add_text(Mask* mask, const std::string& text, core::TextPlace place, double height) {
    const double unit = height / kBaseline, stroke = stroke_of(unit);
    double left = place.x + unit;
    each_character(text, [&](const char* lines) {
        const auto at = [&](const char* pair) {
            return Point{left + (pair[0] - '0') * unit,
                         place.y + (pair[1] - '0' - kBaseline) * unit};
        };
        for (const char* pair = lines; *pair; pair += *pair == ' ' ? 1 : 2) {
            if (*pair == ' ') continue;
            const bool ends = pair[2] == ' ' || pair[2] == '\0';
            const bool begins = pair == lines || pair[-1] == ' ';
            if (!ends)
                mask->add_line(at(pair), at(pair + 2), stroke);
            else if (begins)  // a dot
                mask->add_disc(at(pair), 0.7 * stroke);
        }
        left += kAdvance * unit;
    });
}

}  // namespace pamtri::gst
