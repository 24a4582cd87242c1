#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "numeric/portable_exp_float.hpp"
#include "simd/edge_kernels.hpp"
#include "simd/panels.hpp"

/// What the search for prototypes knows of each row: its nearest prototypes, and the loss that they
/// make.
namespace dsir::gais {

constexpr float kFar = std::numeric_limits<float>::infinity();

/// For every row, the two nearest prototypes on one side: of the row's own class, or of all others.
struct NearestTwo {
    std::vector<float> first, second;  ///< squared distances
    std::vector<std::int32_t> first_slot, second_slot;

    void resize(std::size_t size) {
        first.resize(size);
        second.resize(size);
        first_slot.resize(size);
        second_slot.resize(size);
    }
    void set(std::int64_t i, const simd::LeastTwo& least) {
        first[i] = least.first;
        second[i] = least.second;
        first_slot[i] = least.first_number;
        second_slot[i] = least.second_number;
    }
    void offer(std::int64_t i, float d, std::int32_t slot) {
        if (d < first[i]) {
            second[i] = first[i];
            second_slot[i] = first_slot[i];
            first[i] = d;
            first_slot[i] = slot;
        } else if (d < second[i]) {
            second[i] = d;
            second_slot[i] = slot;
        }
    }
    float without(std::int64_t i, std::int32_t slot) const {
        return first_slot[i] == slot ? second[i] : first[i];
    }
};

/// (a - b) / (a + b) of the roots a and b of two finite squared distances; 0 if both are 0.
inline float balance_of(float own, float other) {
    const float a = std::sqrt(own);
    const float b = std::sqrt(other);
    return a + b > 0 ? (a - b) / (a + b) : 0.0F;
}

/// The loss of a row by its squared distances to the nearest prototypes; see gais/prototypes.hpp.
inline float loss_of(float own, float other, float sharpness) {
    if (other == kFar) return 0.0F;
    if (own == kFar) return 1.0F;
    return 1.0F / (1.0F + numeric::portable_exp_float(-sharpness * balance_of(own, other)));
}

/// The losses of rows before and after a change. They are vector code, with the bits of loss_of.
class Changes {
  public:
    /// Adds rows; a copy of the places to write to, which the compiler can keep in registers.
    class Adding {
      public:
        /// Adds a row by its squared distances to the nearest prototypes after the change, if it
        /// `changes`. Without a branch, since nobody can guess whether it does.
        void add(float own, float other, float before, bool changes) {
            losses_[size_] = own;
            others_[size_] = other;
            before_[size_] = before;
            has_far_ |= changes && (own == kFar || other == kFar);
            size_ += changes ? 1 : 0;
        }

      private:
        friend class Changes;
        float* losses_;
        float* others_;
        float* before_;
        std::size_t size_ = 0;
        bool has_far_ = false;
    };

    /// Forgets all rows, and makes room for some.
    Adding begin(std::size_t most) {
        if (losses_.size() < most) {
            losses_.resize(most);
            others_.resize(most);
            before_.resize(most);
        }
        Adding adding;
        adding.losses_ = losses_.data();
        adding.others_ = others_.data();
        adding.before_ = before_.data();
        return adding;
    }
    /// Takes the rows that were added.
    void end(const Adding& adding) {
        size_ = adding.size_;
        known_.clear();
        if (!adding.has_far_) return;
        for (std::size_t k = 0; k < size_; ++k) {
            if (losses_[k] != kFar && others_[k] != kFar) continue;
            known_.push_back({k, others_[k] == kFar ? 0.0F : 1.0F});
            losses_[k] = others_[k] = 0;
        }
    }
    /// The sum of the losses after less those before, in the order in which rows were added.
    double total(float sharpness) {
        float* const losses = losses_.data();
        panels_.balances(losses, others_.data(), static_cast<std::int64_t>(size_));
        for (std::size_t k = 0; k < size_; ++k) losses[k] *= -sharpness;
        kernels_.exponentials(losses, static_cast<std::int64_t>(size_));
        for (std::size_t k = 0; k < size_; ++k) losses[k] = 1.0F / (1.0F + losses[k]);
        for (const Known& one : known_) losses[one.place] = one.loss;
        double sum = 0;
        for (std::size_t k = 0; k < size_; ++k) {
            sum += static_cast<double>(losses[k]) - static_cast<double>(before_[k]);
        }
        return sum;
    }

  private:
    struct Known {
        std::size_t place;
        float loss;
    };
    const simd::EdgeKernels<float>& kernels_ = simd::edge_kernels<float>();
    const simd::PanelKernels& panels_ = simd::panel_kernels(simd::active_level());
    /// Until the total is asked for, the squared distances that losses are computed from.
    std::vector<float> losses_, others_;
    std::vector<float> before_;
    std::size_t size_ = 0;
    std::vector<Known> known_;  ///< losses without a formula
};

}  // namespace dsir::gais
