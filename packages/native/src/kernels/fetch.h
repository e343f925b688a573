#pragma once
#include <stdint.h>

namespace g2d {

/** So many floats ahead of itself a loop over several streams asks for what it needs: by itself the processor fetches too late. */
constexpr int64_t kAhead = 2048;

/** Asks for what will be read, or written, so that it comes while something else is computed. */
template <bool written = false>
inline void fetch(const float* place, int64_t count) {
  for (int64_t i = 0; i < count; i += 16) __builtin_prefetch(place + i, written);
}

}  // namespace g2d
