// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "npz.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include "pamtri/half.hpp"
#include "words.hpp"
#include "zip.hpp"

namespace pamtri::engines {
namespace {

constexpr std::string_view kMagic("\x93NUMPY", 6), kEnding(".npy");
constexpr std::uint64_t kLeastItem = 4;         // bytes: what is read becomes float32
constexpr std::size_t kLongestHeader = 10'000;  // as NumPy
constexpr std::size_t kShown = 80;              // bytes of a name, in messages

/// What an array declares of itself.
struct Header {
    std::string type;  // such as "<f4"; "" for a structure of several
    bool columns = false;
    std::vector<std::int64_t> shape;
    std::size_t size = 0;  // of the header, in bytes
};

/// Reads the literal of Python that a header is: a dictionary of three known keys.
class HeaderReader {
  public:
    explicit HeaderReader(std::string_view text) : text_(text) {}

    Header read() {
        Header header;
        bool type = false, order = false, shape = false;
        expect('{');
        while (!take('}')) {
            const std::string key = text();
            expect(':');
            if (key == "descr") {
                type = true;
                header.type = descr();
            } else if (key == "fortran_order") {
                order = true;
                header.columns = word();
            } else if (key == "shape") {
                shape = true;
                header.shape = tuple();
            } else {
                fail();
            }
            if (!take(',') && peek() != '}') fail();
        }
        if (!type || !order || !shape || peek() != '\0') fail();
        return header;
    }

  private:
    [[noreturn]] void fail() const { throw DamagedError("an array's header cannot be read"); }

    char peek() {
        while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
        return at_ < text_.size() ? text_[at_] : '\0';
    }

    bool take(char c) {
        if (peek() != c) return false;
        ++at_;
        return true;
    }

    void expect(char c) {
        if (!take(c)) fail();
    }

    std::string text() {
        const char quote = peek();
        if (quote != '\'' && quote != '"') fail();
        const std::size_t end = text_.find(quote, ++at_);
        if (end == std::string_view::npos) fail();
        const std::string found(text_.substr(at_, end - at_));
        if (found.find('\\') != std::string::npos) fail();
        at_ = end + 1;
        return found;
    }

    /// The type; a list of several is passed over, for it is no number.
    std::string descr() {
        if (peek() != '[') return text();
        int open = 0;
        do {
            const char c = peek();
            if (c == '\0') fail();
            open += (c == '[') - (c == ']');
            ++at_;
        } while (open > 0);
        return "";
    }

    bool word() {
        peek();
        for (const std::string_view word : {std::string_view("True"), std::string_view("False")}) {
            if (text_.substr(at_, word.size()) != word) continue;
            at_ += word.size();
            return word == "True";
        }
        fail();
    }

    std::vector<std::int64_t> tuple() {
        std::vector<std::int64_t> sizes;
        expect('(');
        while (!take(')')) {
            const bool negative = take('-');
            std::int64_t size = 0;
            if (peek() < '0' || peek() > '9') fail();
            for (; at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9'; ++at_) {
                if (size > std::numeric_limits<std::int64_t>::max() / 10 - 10) fail();
                size = 10 * size + (text_[at_] - '0');
            }
            sizes.push_back(negative ? -size : size);
            if (!take(',') && peek() != ')') fail();
        }
        return sizes;
    }

    std::string_view text_;
    std::size_t at_ = 0;
};

Header header_of(const ZipMember& member) {
    const std::string start = member.first(12 + kLongestHeader);
    if (start.size() < 12 || start.compare(0, kMagic.size(), kMagic) != 0)
        throw DamagedError("a member is no array");
    const auto byte = [&](std::size_t at) {
        return static_cast<std::size_t>(static_cast<unsigned char>(start[at]));
    };
    const bool first = start[6] == 1 && start[7] == 0;
    if (!first && !(start[6] >= 2 && start[6] <= 3)) throw DamagedError("an array of a later form");
    const std::size_t before = first ? 10 : 12;
    std::size_t length = byte(8) | byte(9) << 8;
    if (!first) length |= byte(10) << 16 | byte(11) << 24;
    if (length > kLongestHeader || before + length > start.size())
        throw DamagedError("an array's header is too long");
    Header header = HeaderReader(std::string_view(start).substr(before, length)).read();
    header.size = before + length;
    return header;
}

/// NumPy's name of a type that is no number.
std::string name_of(const std::string& type) {
    const std::string behind = type.size() > 2 ? type.substr(2) : "";
    const char kind = type.size() > 1 ? type[1] : 'V';
    const int size = std::atoi(behind.c_str());
    if (kind == 'O') return "object";
    if (kind == 'c') return "complex" + std::to_string(8 * size);
    if (kind == 'U') return "str" + std::to_string(32 * size);
    if (kind == 'S') return "bytes" + std::to_string(8 * size);
    const std::size_t unit = behind.find('[');
    if (kind == 'M' || kind == 'm')
        return (kind == 'M' ? "datetime64" : "timedelta64") +
               (unit == std::string::npos ? "" : behind.substr(unit));
    return "void";
}

/// Bytes of an item of a type of numbers.
std::size_t item_size(const std::string& type, const std::string& key) {
    const bool number = type.size() >= 3 && std::strchr("buif", type[1]) != nullptr;
    if (!number) throw ArchiveError(key + " holds " + name_of(type) + ", not numbers");
    const std::string size = type.substr(2);
    const bool known = (size == "1" && type[1] != 'f') ||
                       ((size == "2" || size == "4" || size == "8") && type[1] != 'b');
    if (!known || std::strchr("<>|=", type[0]) == nullptr)
        throw DamagedError("an array of an unknown type");
    return static_cast<std::size_t>(size[0] - '0');
}

float narrowed(double value) {
    constexpr double kMost = std::numeric_limits<float>::max();
    if (std::abs(value) > kMost) {  // what rounds to the largest float, too, is beyond use
        const double sign = value < 0 ? -1 : 1;
        return static_cast<float>(sign * std::numeric_limits<double>::infinity());
    }
    return static_cast<float>(value);
}

template <typename T>
T read_as(std::uint64_t bits) {
    T value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

/// An item of 1 to 8 bytes as float32.
float number_of(const char* item, const std::string& type, std::size_t size) {
    std::uint64_t bits = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const std::size_t at = type[0] == '>' ? size - 1 - i : i;
        bits |= static_cast<std::uint64_t>(static_cast<unsigned char>(item[at])) << (8 * i);
    }
    const int shift = static_cast<int>(64 - 8 * size);
    switch (type[1]) {
        case 'f':
            if (size == 2) return to_float(Half{static_cast<unsigned short>(bits)});
            return size == 4 ? read_as<float>(bits) : narrowed(read_as<double>(bits));
        case 'i':
            return static_cast<float>(static_cast<std::int64_t>(bits << shift) >> shift);
        case 'b':
            return bits != 0 ? 1.0F : 0.0F;
        default:
            return static_cast<float>(bits);
    }
}

/// For each item, in the order in which they lie, its place in rows.
class Places {
  public:
    explicit Places(const Header& header) : header_(header), at_(header.shape.size()) {
        strides_.resize(at_.size());
        std::size_t stride = 1;
        for (std::size_t axis = at_.size(); axis-- > 0;) {
            strides_[axis] = stride;
            stride *= static_cast<std::size_t>(header.shape[axis]);
        }
    }

    std::size_t next() {
        const std::size_t place = place_;
        if (!header_.columns) {
            ++place_;
            return place;
        }
        for (std::size_t axis = 0; axis < at_.size(); ++axis) {
            place_ += strides_[axis];
            if (++at_[axis] < static_cast<std::size_t>(header_.shape[axis])) break;
            place_ -= strides_[axis] * at_[axis];
            at_[axis] = 0;
        }
        return place;
    }

  private:
    const Header& header_;
    std::vector<std::size_t> at_, strides_;
    std::size_t place_ = 0;
};

Array array_of(const ZipMember& member, const Header& header, std::size_t count, std::size_t item) {
    const std::string content = member.first(header.size + count * item);
    if (content.size() < header.size + count * item)
        throw DamagedError("an array has fewer items than it declares");
    Array array{header.shape, std::vector<float>(count)};
    Places places(header);
    const char* data = content.data() + header.size;
    for (std::size_t i = 0; i < count; ++i)
        array.values[places.next()] = number_of(data + i * item, header.type, item);
    return array;
}

std::size_t occurrences(std::string_view content, std::string_view what) {
    std::size_t count = 0;
    for (std::size_t at = content.find(what); at != std::string_view::npos;
         at = content.find(what, at + what.size()))
        ++count;
    return count;
}

}  // namespace

std::vector<std::pair<std::string, Array>> unpack(std::string_view content, std::uint64_t limit,
                                                  std::size_t most) {
    // Counted in the bytes: a list of a million entries would take a gigabyte.
    if (occurrences(content, kZipEntry) > most)
        throw ArchiveError("it has more than " + std::to_string(most) + " entries");
    std::vector<std::pair<std::string, Array>> arrays;
    std::uint64_t left = limit;
    for (const ZipMember& member : zip_members(content)) {
        std::string key = member.name;
        if (key.size() >= kEnding.size() &&
            key.compare(key.size() - kEnding.size(), kEnding.size(), kEnding) == 0)
            key.resize(key.size() - kEnding.size());
        const std::string shown = key.substr(0, kShown);
        const auto same = [&](const auto& other) { return other.first == key; };
        if (std::any_of(arrays.begin(), arrays.end(), same))
            throw ArchiveError(in_quotes(shown) + " is there twice");
        if (!member.plain())
            throw ArchiveError(in_quotes(shown) + " is packed in another way than NumPy does");
        const Header header = header_of(member);
        const std::size_t item = item_size(header.type, shown);
        for (const std::int64_t size : header.shape) {
            if (size < 0)
                throw ArchiveError(
                    shown + " has shape " +
                    shown_shape(std::vector<Size>(header.shape.begin(), header.shape.end())));
        }
        std::uint64_t count = 1;  // stops above the limit, so that it cannot overflow
        const bool none = std::count(header.shape.begin(), header.shape.end(), 0) > 0;
        for (const std::int64_t size : header.shape)
            count = none ? 0
                         : std::min<std::uint64_t>(
                               count * std::min<std::uint64_t>(static_cast<std::uint64_t>(size),
                                                               limit + 1),
                               limit + 1);
        if (count * std::max<std::uint64_t>(item, kLeastItem) > left)
            throw ArchiveError("its arrays have more than " + std::to_string(limit >> 20) + " MiB");
        left -= count * std::max<std::uint64_t>(item, kLeastItem);
        arrays.emplace_back(key, array_of(member, header, static_cast<std::size_t>(count), item));
    }
    return arrays;
}

}  // namespace pamtri::engines
