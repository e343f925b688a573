#pragma once
// What the fuzzers share: numbers, and how far results are from double precision.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

namespace g2d {

inline std::mt19937 generator(1);

inline int64_t between(int64_t least, int64_t most) {
  return std::uniform_int_distribution<int64_t>(least, most)(generator);
}

// Of exactly the size, so that a step beyond the end is found.
typedef std::vector<float> Floats;
typedef std::vector<double> Doubles;

inline Floats normal(int64_t count, double scale = 1, double mean = 0) {
  Floats values(count);
  std::normal_distribution<double> draw(mean, scale);
  for (float& value : values) value = static_cast<float>(draw(generator));
  return values;
}

/** The largest difference, relative to the largest value, or to `least` if that is more. */
inline double difference(const Floats& actual, const Doubles& expected, double least = 1) {
  double largest = least, worst = 0;
  for (double value : expected) largest = std::max(largest, std::abs(value));
  for (size_t i = 0; i < actual.size(); i++) {
    const double own = std::abs(actual[i] - expected[i]) / largest;
    worst = own <= worst ? worst : own;  // what is not a number is worst
    if (own != own) return INFINITY;
  }
  return worst;
}

/** A hash of all bits. */
struct Bits {
  uint64_t hash = 14695981039346656037u;

  void add(const Floats& values) {
    for (float value : values) {
      uint32_t word;
      std::memcpy(&word, &value, sizeof word);
      hash = (hash ^ word) * 1099511628211u;
    }
  }
};

}  // namespace g2d
