// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
//
// From what a detector gives to boxes, scores and class numbers: the arithmetic of each layout.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crop_rules.hpp"

namespace pamtri::core {

/// What the four numbers of a box are.
enum class BoxForm {
    kCorners,      ///< x1, y1, x2, y2 in pixels of the network's picture
    kCenters,      ///< center x, center y, width, height in pixels of the network's picture
    kUnitCenters,  ///< the same as parts of the network's picture
    kCells,        ///< offsets in the cell, and logarithms of sizes in cells
};

/// An output of a network, as numbers in C order.
struct OutputView {
    std::vector<std::size_t> shape;
    const float* values = nullptr;

    /// Numbers in it.
    std::size_t size() const;
};

/// What may be vehicles, before suppression; the surest come first, a thousand at most.
struct Candidates {
    std::vector<float> boxes;   ///< rows of x1, y1, x2, y2 in pixels of the network's picture
    std::vector<float> scores;  ///< 0 to 1
    std::vector<int> classes;
};

/// A box and a score for each class in every cell of a grid, or for every query.
struct Dense {
    FrameSize picture;  ///< the network's
    BoxForm form = BoxForm::kCorners;
    std::size_t classes = 0;
    bool objectness = false;  ///< the fifth number is a factor of all scores
    bool transposed = false;  ///< (1, numbers, cells) instead of (1, cells, numbers)
    bool logits = false;      ///< the scores still need the logistic function
    std::size_t boxes_output = 0;
    std::optional<std::size_t> scores_output;  ///< the boxes' own where they share it
    std::vector<int> strides;                  ///< pixels a cell, of each grid; of kCells alone
};

/// Where a number of a detection is: an output, and the column in it; no column where the output is
/// it.
struct Column {
    std::size_t output = 0;
    std::optional<std::size_t> column;
};

/// Detections that the network has picked itself: a box, a score and a class each.
struct Picked {
    FrameSize picture;
    BoxForm form = BoxForm::kCorners;
    Column box;                        ///< the first of its four columns
    Column score, label;               ///< label: the class numbers
    std::optional<Column> image;       ///< the numbers of the pictures in the batch; none where the
                                       ///< batch is an axis
    std::optional<Column> objectness;  ///< a factor of the scores
    std::optional<std::size_t> count;  ///< the output that says how many detections count
    std::optional<int> classes;        ///< how many there are at most, for a check
};

/// A cell of a detector's grids.
struct Cell {
    float column, row, stride;
};

/// All cells of a picture, grid by grid and row by row.
std::vector<Cell> cells(FrameSize picture, const std::vector<int>& strides);

/// Reads the outputs of a network for one picture.
class Decoder {
  public:
    explicit Decoder(Dense layout);
    explicit Decoder(Picked layout) : layout_(std::move(layout)) {}

    /// The layout of a description, which is JSON: an object of the "kind" dense or picked, with
    /// the fields above. Throws InputError: a field is missing, unknown, or not what it must be.
    static Decoder parse(const std::string& description);

    /// The boxes of wanted classes with at least a score.
    ///
    /// Throws InputError: the outputs are not what the layout says.
    Candidates read(const std::vector<OutputView>& outputs, const std::vector<int>& wanted,
                    float least) const;

  private:
    std::variant<Dense, Picked> layout_;
    std::vector<Cell> cells_;
};

}  // namespace pamtri::core
