// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#include "decoding.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <numeric>
#include <utility>

#include "errors.hpp"

namespace pamtri::core {

namespace {

constexpr std::size_t kMostCandidates = 1000;  // boxes, the surest ones, that are suppressed
constexpr float kLargest = 2147483648.0f;      // pixels: what no picture has, and no integer holds
constexpr float kRounding = 1e-3f;
constexpr float kLargestExponent = 80.0f;  // e^80 still is a float32

std::string general(double value) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value);
    return text;
}

std::string whole(double value) {
    char text[400];
    std::snprintf(text, sizeof text, "%.0f", value);
    return text;
}

std::string shown(const std::vector<std::size_t>& shape) {
    std::string sides;
    for (const std::size_t side : shape)
        sides += (sides.empty() ? "" : ", ") + std::to_string(side);
    return "(" + sides + ")";
}

/// Numbers in rows, wherever they lie.
struct Table {
    const float* values = nullptr;
    std::size_t rows = 0, columns = 0;
    std::size_t down = 0, across = 0;  ///< from a number to the next of its column, of its row

    float at(std::size_t row, std::size_t column) const {
        return values[row * down + column * across];
    }
};

[[noreturn]] void refuse_shape(const OutputView& output, const std::string& expected) {
    throw InputError("the detector gives an output of shape " + shown(output.shape) +
                     "; expected " + expected + ", as its layout says.");
}

const OutputView& output_at(const std::vector<OutputView>& outputs, std::size_t number) {
    if (number >= outputs.size())
        throw InputError("the detector has " + std::to_string(outputs.size()) +
                         (outputs.size() == 1 ? " output" : " outputs") +
                         "; its layout reads number " + std::to_string(number) + ", from 0.");
    return outputs[number];
}

/// Of equal scores the first comes first.
std::vector<std::size_t> surest(const std::vector<float>& scores, float least) {
    std::vector<std::size_t> chosen;
    float highest = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (!std::isfinite(scores[i]))
            throw InputError(
                "the detector gives scores that are not finite: its weights are damaged, or it "
                "overflows in half precision. Export it in float32.");
        highest = std::max(highest, scores[i]);
        if (scores[i] >= least) chosen.push_back(i);
    }
    if (highest > 1.0f + kRounding)
        throw InputError("the detector gives a score of " + general(highest) +
                         "; expected 0 to 1. Its outputs are not in the layout that their shapes "
                         "say, or it takes pictures in another form.");
    std::stable_sort(chosen.begin(), chosen.end(),
                     [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
    if (chosen.size() > kMostCandidates) chosen.resize(kMostCandidates);
    return chosen;
}

/// A box as x1, y1, x2, y2 in pixels of the network's picture, behind the others.
void add_corners(std::vector<float>* boxes, const float* box, BoxForm form, FrameSize picture,
                 const Cell* cell) {
    float x = box[0], y = box[1], wide = box[2], high = box[3];
    if (form == BoxForm::kCells) {
        const auto extent = [cell](float value) {
            return std::exp(value > kLargestExponent ? kLargestExponent : value) * cell->stride;
        };
        x = (x + cell->column) * cell->stride;
        y = (y + cell->row) * cell->stride;
        wide = extent(wide);
        high = extent(high);
    } else if (form == BoxForm::kUnitCenters) {
        const auto across = static_cast<float>(picture.width);
        const auto down = static_cast<float>(picture.height);
        x *= across;
        y *= down;
        wide *= across;
        high *= down;
    }
    float sides[] = {x, y, wide, high};
    if (form != BoxForm::kCorners) {
        sides[0] = x - wide / 2;
        sides[1] = y - high / 2;
        sides[2] = x + wide / 2;
        sides[3] = y + high / 2;
    }
    for (const float side : sides)
        if (!(std::abs(side) < kLargest))  // true for NaN, too
            throw InputError(
                "the detector gives boxes that are not finite, or billions of pixels large: its "
                "weights are damaged, it overflows in half precision, or its boxes are in another "
                "form than its graph says.");
    boxes->insert(boxes->end(), std::begin(sides), std::end(sides));
}

float logistic(float value) { return 0.5f * (1.0f + std::tanh(0.5f * value)); }

/// The rows of the first picture, of at least so many numbers.
Table rows_of(const OutputView& output, bool transposed, std::size_t least) {
    const std::size_t rank = output.shape.size();
    if (rank < 2 || output.size() == 0)
        refuse_shape(output, "rows of " + std::to_string(least) + " numbers or more");
    const std::size_t high = output.shape[rank - 2], wide = output.shape[rank - 1];
    const Table table = transposed ? Table{output.values, wide, high, 1, wide}
                                   : Table{output.values, high, wide, wide, 1};
    if (table.columns < least)
        refuse_shape(output, "rows of " + std::to_string(least) + " numbers or more");
    return table;
}

Candidates read_dense(const Dense& layout, const std::vector<Cell>& cells,
                      const std::vector<OutputView>& outputs, const std::vector<int>& wanted,
                      float least) {
    const bool own = layout.scores_output.has_value();
    const std::size_t first = own ? 0 : layout.objectness ? 5 : 4;
    const std::size_t numbers = layout.objectness ? 5 : 4;
    const OutputView& output = output_at(outputs, layout.boxes_output);
    const Table rows = rows_of(output, layout.transposed, own ? numbers : first + layout.classes);
    const Table kinds =
        own ? rows_of(output_at(outputs, *layout.scores_output), layout.transposed, layout.classes)
            : rows;
    if (kinds.rows != rows.rows)
        throw InputError("the detector gives " + std::to_string(rows.rows) +
                         " boxes and scores of " + std::to_string(kinds.rows) +
                         "; expected as many.");
    if (layout.form == BoxForm::kCells && rows.rows != cells.size())
        refuse_shape(output, std::to_string(cells.size()) + " cells");
    std::vector<float> scores(rows.rows);
    std::vector<int> best(rows.rows);
    for (std::size_t row = 0; row < rows.rows; ++row) {
        float highest = -INFINITY;
        for (const int number : wanted) {
            const float score = kinds.at(row, first + static_cast<std::size_t>(number));
            if (score > highest || std::isnan(score)) {
                highest = score;
                best[row] = number;
                if (std::isnan(score)) break;
            }
        }
        float factor = layout.objectness ? rows.at(row, 4) : 1.0f;
        if (layout.logits) {
            highest = logistic(highest);
            if (layout.objectness) factor = logistic(factor);
        }
        scores[row] = highest * factor;
    }
    Candidates found;
    for (const std::size_t row : surest(scores, least)) {
        const float box[] = {rows.at(row, 0), rows.at(row, 1), rows.at(row, 2), rows.at(row, 3)};
        const Cell* cell = layout.form == BoxForm::kCells ? &cells[row] : nullptr;
        add_corners(&found.boxes, box, layout.form, layout.picture, cell);
        found.scores.push_back(scores[row]);
        found.classes.push_back(best[row]);
    }
    return found;
}

/// Reads columns of detections that a network has picked.
class PickedReader {
  public:
    PickedReader(const Picked& layout, const std::vector<OutputView>& outputs)
        : layout_(layout), outputs_(outputs) {}

    /// The rows of the first picture, or of all where a column tells the picture.
    Table table(std::size_t number, std::size_t columns) const {
        const OutputView& output = output_at(outputs_, number);
        if (output.size() == 0) return {};
        const bool batches = !layout_.image && output.shape.size() > 2;
        const std::size_t wide = output.shape.empty() ? 1 : output.shape.back();
        if (wide < columns)
            refuse_shape(output, "rows of " + std::to_string(columns) + " numbers or more");
        const std::size_t whole = batches ? output.size() / output.shape[0] : output.size();
        return {output.values, whole / wide, wide, wide, 1};
    }

    std::vector<float> numbers(const Column& where) const {
        if (where.column) {
            const Table rows = table(where.output, *where.column + 1);
            std::vector<float> column(rows.rows);
            for (std::size_t row = 0; row < rows.rows; ++row)
                column[row] = rows.at(row, *where.column);
            return column;
        }
        const OutputView& output = output_at(outputs_, where.output);
        const bool batches = output_at(outputs_, layout_.box.output).shape.size() > 2 &&
                             output.shape.size() > 1 && output.size() > 0;
        const std::size_t size = batches ? output.size() / output.shape[0] : output.size();
        return {output.values, output.values + size};
    }

    /// How many detections count.
    std::size_t counted(std::size_t most) const {
        if (!layout_.count) return most;
        const OutputView& output = output_at(outputs_, *layout_.count);
        const float count = output.size() > 0 ? output.values[0] : 0.0f;
        if (!std::isfinite(count))
            throw InputError("the detector gives a count of detections that is not finite.");
        return count <= 0 ? 0 : std::min(most, static_cast<std::size_t>(count));
    }

  private:
    const Picked& layout_;
    const std::vector<OutputView>& outputs_;
};

/// Whole numbers from 0, and no more than there are classes.
void check_labels(const std::vector<float>& labels, const std::vector<std::size_t>& chosen,
                  const std::optional<int>& classes) {
    float highest = 0;
    for (const std::size_t row : chosen) {
        const float label = labels[row];
        if (!(std::abs(label - std::nearbyint(label)) < kRounding && std::nearbyint(label) >= 0))
            throw InputError("the detector gives class " + general(label) +
                             "; expected whole numbers from 0: its columns are in an order that "
                             "is not known here.");
        highest = std::max(highest, std::nearbyint(label));
    }
    if (classes && !chosen.empty() && highest >= static_cast<float>(*classes))
        throw InputError("the detector gives class " + whole(highest) +
                         ", though it was taken as one of " + std::to_string(*classes) +
                         " classes: say which of its classes are vehicles, --classes with their "
                         "numbers.");
}

Candidates read_picked(const Picked& layout, const std::vector<OutputView>& outputs,
                       const std::vector<int>& wanted, float least) {
    const PickedReader reader(layout, outputs);
    const std::size_t left = layout.box.column.value_or(0);
    const Table boxes = reader.table(layout.box.output, left + 4);
    std::vector<float> scores = reader.numbers(layout.score);
    const std::vector<float> labels = reader.numbers(layout.label);
    if (boxes.rows != scores.size() || boxes.rows != labels.size())
        throw InputError("the detector gives " + std::to_string(boxes.rows) + " boxes, " +
                         std::to_string(scores.size()) + " scores and " +
                         std::to_string(labels.size()) + " classes; expected as many of each.");
    const auto beside = [&](const Column& where) {
        std::vector<float> numbers = reader.numbers(where);
        if (numbers.size() != scores.size())
            throw InputError("the detector gives " + std::to_string(scores.size()) +
                             " scores and " + std::to_string(numbers.size()) +
                             " numbers beside; expected as many.");
        return numbers;
    };
    if (layout.objectness) {
        const std::vector<float> factors = beside(*layout.objectness);
        for (std::size_t i = 0; i < scores.size(); ++i) scores[i] *= factors[i];
    }
    const std::size_t counted = reader.counted(scores.size());
    std::fill(scores.begin() + static_cast<std::ptrdiff_t>(counted), scores.end(), -1.0f);
    if (layout.image) {
        const std::vector<float> images = beside(*layout.image);
        for (std::size_t i = 0; i < scores.size(); ++i)
            if (images[i] != 0) scores[i] = -1.0f;
    }
    const std::vector<std::size_t> chosen = surest(scores, least);
    check_labels(labels, chosen, layout.classes);
    Candidates found;
    for (const std::size_t row : chosen) {
        const float label = std::nearbyint(labels[row]);
        const auto is_label = [label](int number) { return static_cast<float>(number) == label; };
        if (std::none_of(wanted.begin(), wanted.end(), is_label)) continue;
        const float box[] = {boxes.at(row, left), boxes.at(row, left + 1), boxes.at(row, left + 2),
                             boxes.at(row, left + 3)};
        add_corners(&found.boxes, box, layout.form, layout.picture, nullptr);
        found.scores.push_back(scores[row]);
        found.classes.push_back(static_cast<int>(label));
    }
    return found;
}

}  // namespace

std::size_t OutputView::size() const {
    return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

std::vector<Cell> cells(FrameSize picture, const std::vector<int>& strides) {
    std::vector<Cell> found;
    for (const int stride : strides)
        for (int row = 0; row < picture.height / stride; ++row)
            for (int column = 0; column < picture.width / stride; ++column)
                found.push_back({static_cast<float>(column), static_cast<float>(row),
                                 static_cast<float>(stride)});
    return found;
}

Decoder::Decoder(Dense layout) : layout_(std::move(layout)) {
    const Dense& dense = std::get<Dense>(layout_);
    cells_ = cells(dense.picture, dense.strides);
}

Candidates Decoder::read(const std::vector<OutputView>& outputs, const std::vector<int>& wanted,
                         float least) const {
    if (const Picked* picked = std::get_if<Picked>(&layout_))
        return read_picked(*picked, outputs, wanted, least);
    const Dense& dense = std::get<Dense>(layout_);
    for (const int number : wanted)
        if (number < 0 || static_cast<std::size_t>(number) >= dense.classes)
            throw InputError("class " + std::to_string(number) + " is wanted of " +
                             std::to_string(dense.classes) + "; expected 0 to " +
                             std::to_string(dense.classes - 1) + ".");
    return read_dense(dense, cells_, outputs, wanted, least);
}

}  // namespace pamtri::core
