#pragma once
// What the loops compute of a value on the way.
#include <cmath>

namespace g2d {

/**
 * What follows a value v, in two pieces: `slope` v below 0, and never more than `most`. ReLU is {0, ∞}, ReLU6 {0, 6}, leaky ReLU
 * {its slope, ∞}; {1, ∞} is nothing.
 */
struct Activation {
  float slope = 1, most = INFINITY;
};

/** Its form, which the loops are compiled for: bound, and not both leaky and bound. */
enum class Bend { kNone, kRelu, kBound, kLeaky };

inline bool is_known(Activation a) {
  return (a.most == INFINITY && a.slope >= 0) || (a.slope == 0 && a.most > 0);
}

inline Bend bend(Activation a) {
  if (a.slope == 0) return a.most == INFINITY ? Bend::kRelu : Bend::kBound;
  return a.slope == 1 ? Bend::kNone : Bend::kLeaky;
}

}  // namespace g2d
