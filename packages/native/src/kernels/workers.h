#pragma once
#include <sched.h>
#include <stdint.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <functional>
#include <mutex>
#include <system_error>
#include <thread>

namespace g2d {

/**
 * Threads that stay. TensorFlow's own are not reachable through its C interface; they sleep while an operation of ours
 * runs, so together the two never use more processors than TensorFlow alone.
 */
class Workers {
 public:
  /** The process's. Never destroyed: a thread may sleep in it while the process ends. */
  static Workers& get() {
    static Workers* workers = new Workers();
    return *workers;
  }

  /** How many parts are worked on at once, at most. */
  int64_t threads() const { return helpers_ + 1; }

  /**
   * Calls work(0) … work(parts − 1), each once, on any thread. What a part computes must not depend on which. Not from inside
   * of `work`. If a part throws, others may be left out, and it throws that when all have ended.
   */
  void run(int64_t parts, const std::function<void(int64_t)>& work) {
    // A second caller (another worker thread of Node) does its work alone.
    std::unique_lock<std::mutex> turn(turn_, std::defer_lock);
    if (parts <= 1 || helpers_ == 0 || !turn.try_lock()) {
      for (int64_t part = 0; part < parts; part++) work(part);
      return;
    }
    {
      std::lock_guard<std::mutex> lock(mutex_);
      work_ = &work;
      parts_ = parts;
      next_.store(0, std::memory_order_relaxed);
      generation_.fetch_add(1, std::memory_order_release);
    }
    if (parts > helpers_) {
      wake_.notify_all();
    } else {
      for (int64_t i = 1; i < parts; i++) wake_.notify_one();
    }
    std::exception_ptr error = take(work, parts);
    // Nothing is left to take: who has not begun need not.
    std::unique_lock<std::mutex> lock(mutex_);
    work_ = nullptr;
    lock.unlock();
    awake([this] { return active_.load(std::memory_order_acquire) == 0; });
    lock.lock();
    done_.wait(lock, [this] { return active_.load(std::memory_order_relaxed) == 0; });
    if (!error) error = error_;
    error_ = nullptr;
    lock.unlock();
    if (error) std::rethrow_exception(error);
  }

 private:
  Workers() {
    const int64_t wanted = std::min<int64_t>(count(), 256) - 1;
    try {
      for (; helpers_ < wanted; helpers_++) std::thread([this] { help(); }).detach();
    } catch (const std::system_error&) {
      // The system gives no more threads: these have to do.
    }
  }

  /** As many as TensorFlow: the processors this process may use, or what it was told. */
  static int64_t count() {
    const char* told = std::getenv("TF_NUM_INTRAOP_THREADS");
    const int64_t wanted = told ? std::atoll(told) : 0;
    if (wanted > 0) return wanted;
#if defined(__linux__)
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
#endif
    const int64_t all = std::thread::hardware_concurrency();
    return all > 0 ? all : 1;
  }

  /**
   * Waits for a moment before going to sleep: on virtual machines a sleeper wakes up only after 0.1 to 1 ms, as long as a small
   * operation takes. Whoever else wants the processor has it at once.
   */
  template <typename Until>
  static void awake(Until until) {
    const auto limit = std::chrono::steady_clock::now() + std::chrono::milliseconds(1);
    while (!until() && std::chrono::steady_clock::now() < limit) sched_yield();
  }

  std::exception_ptr take(const std::function<void(int64_t)>& work, int64_t parts) {
    try {
      for (int64_t part; (part = next_.fetch_add(1, std::memory_order_relaxed)) < parts;) work(part);
    } catch (...) {
      return std::current_exception();
    }
    return nullptr;
  }

  void help() {
    uint64_t seen = 0;
    for (;;) {
      awake([&] { return generation_.load(std::memory_order_acquire) != seen; });
      std::unique_lock<std::mutex> lock(mutex_);
      wake_.wait(lock, [&] { return generation_.load(std::memory_order_relaxed) != seen; });
      seen = generation_.load(std::memory_order_relaxed);
      if (!work_) continue;
      const auto* work = work_;
      const int64_t parts = parts_;
      active_.fetch_add(1, std::memory_order_relaxed);
      lock.unlock();
      const std::exception_ptr error = take(*work, parts);
      lock.lock();
      if (error) error_ = error;
      if (active_.fetch_sub(1, std::memory_order_release) == 1) done_.notify_one();
    }
  }

  std::mutex turn_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable done_;
  const std::function<void(int64_t)>* work_ = nullptr;
  std::exception_ptr error_;
  int64_t parts_ = 0;
  std::atomic<int64_t> active_{0};
  std::atomic<int64_t> next_{0};
  std::atomic<uint64_t> generation_{0};
  // Not read by the helpers themselves.
  int64_t helpers_ = 0;
};

/** to = the sum of `count` lists of so many floats, which lie one behind the other: each value's in their order. */
inline void add_up(const float* lists, int64_t count, int64_t size, float* to) {
  constexpr int64_t kEach = 1 << 14;
  Workers::get().run((size + kEach - 1) / kEach, [&](int64_t part) {
    for (int64_t i = part * kEach; i < std::min(size, (part + 1) * kEach); i++) {
      float sum = lists[i];
      for (int64_t list = 1; list < count; list++) sum += lists[list * size + i];
      to[i] = sum;
    }
  });
}

}  // namespace g2d
