#pragma once
#include <stdint.h>

#include <cstdlib>
#include <new>

namespace g2d {

/** Memory that a thread keeps from one call to the next: fresh pages would cost as much as the transforms. */
class Scratch {
 public:
  ~Scratch() { std::free(memory_); }
  float* get(int64_t floats) {
    if (floats > size_) {
      std::free(memory_);
      memory_ = nullptr;
      size_ = 0;
      const size_t bytes = (static_cast<size_t>(floats) * sizeof(float) + 63) / 64 * 64;
      memory_ = static_cast<float*>(std::aligned_alloc(64, bytes));
      if (!memory_) throw std::bad_alloc();
      size_ = floats;
    }
    return memory_;
  }

 private:
  float* memory_ = nullptr;
  int64_t size_ = 0;
};

/** The calling thread's. */
inline Scratch& call_scratch() {
  static thread_local Scratch scratch;
  return scratch;
}

/** One more, for a part of the work: a caller takes parts too, while its own is in use. */
inline Scratch& part_scratch() {
  static thread_local Scratch scratch;
  return scratch;
}

}  // namespace g2d
