// SPDX-FileCopyrightText: The pamtri-edge authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <vector>

namespace pamtri::core {

/// One answer for a track out of several embedded views: the weighted mean of unit embeddings,
/// renormalized, and of the probabilities.
///
/// Views that all weigh nothing count alike, and for nothing beside others; where embeddings cancel
/// each other out, the best view's stands alone. Views are added as they come and not kept: memory
/// is that of two embeddings, however many there were.
class Fusion {
  public:
    /// Numbers that a network gave; `size` 0 where the bundle has none.
    struct Values {
        const float* data = nullptr;
        std::size_t size = 0;
    };

    /// Add a view. Returns whether it is the best so far.
    ///
    /// @param weight how much it counts
    /// @param worth the best view is that of most worth: of those that are good, if there are any
    /// @param good whether it stands for its vehicle
    ///
    /// Throws InputError if the embedding has no direction, or is of another length than those
    /// before; nothing has changed then.
    bool add(double weight, double worth, bool good, Values embedding, Values color, Values type);

    /// Whether a view was added, and whether a good one was.
    bool empty() const { return best_.empty(); }
    bool good() const { return good_; }

    /// The embedding, of unit length. Throws InputError if nothing was added.
    std::vector<float> embedding() const;

    /// The probabilities, which sum to 1; empty where a counted view has none.
    std::vector<float> color() const { return color_.mean(); }
    std::vector<float> type() const { return type_.mean(); }

  private:
    /// A weighted sum of probabilities.
    class Probabilities {
      public:
        explicit Probabilities(const char* name) : name_(name) {}
        void check(Values values) const;
        void restart();
        void add(double weight, Values values);
        std::vector<float> mean() const;

      private:
        const char* name_;
        std::vector<double> sum_;
        bool missing_ = false;
    };

    bool good_ = false;    // the best is
    bool weighs_ = false;  // those that count do
    double best_worth_ = 0;
    double total_ = 0;  // of the weights that count
    std::vector<double> sum_;
    std::vector<float> best_;  // the best view's, of unit length
    Probabilities color_{"color"}, type_{"type"};
};

}  // namespace pamtri::core
