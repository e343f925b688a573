#pragma once
// Sums over the processes of one machine, through memory that they share. Each writes a piece of its numbers, waits until the others have
// written theirs, and adds up all of them in the order of the processes: so all come to the same bits.
#if defined(__linux__)
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "operation.h"

namespace g2d {
namespace {

class SharedSum {
 public:
  /** Attaches on the first call. Gives what is wrong, or nothing. */
  static std::string sum(const int64_t (&place)[3], const float* x, float* y, int64_t count) {
    static std::mutex mutex;
    // Never destroyed: its heart beats as long as the process lives.
    static auto& attached = *new std::map<int64_t, std::unique_ptr<SharedSum>>;
    const std::lock_guard<std::mutex> guard(mutex);
    auto& one = attached[place[0]];
    if (!one) {
      std::unique_ptr<SharedSum> fresh(new SharedSum(place[1], place[2]));
      const std::string problem = fresh->attach(place[0]);
      if (!problem.empty()) return problem;
      one = std::move(fresh);
      std::thread([own = &one->sign(one->rank_)] {
        for (;; std::this_thread::sleep_for(kSecond)) own->beats.fetch_add(1, std::memory_order_relaxed);
      }).detach();
    }
    return one->add_up(x, y, count);
  }

  ~SharedSum() {
    if (memory_) munmap(memory_, bytes());
    if (file_ >= 0) close(file_);
  }

 private:
  /** So many numbers at a time, 1 MB: a piece stays in the cache that the cores have in common. */
  static constexpr int64_t kPiece = 1 << 18;
  /** A piece is written while the one before it is awaited, and while somebody may still read the one two before that. */
  static constexpr int64_t kSlots = 4;
  static constexpr int64_t kMost = 64;
  static constexpr std::chrono::seconds kSecond{1};
  /** Of another process, without a beat of its heart: it does not run. */
  static constexpr int kStill = 10;

  /** The beginning of the file, behind a page of its maker's. */
  struct Sign {
    /** How many pieces this process has written. */
    alignas(64) std::atomic<int64_t> written;
    /** Grows every second. */
    std::atomic<int64_t> beats;
    /** Numbers of each piece in a slot. */
    int64_t counts[kSlots];
  };
  static constexpr int64_t kPage = 4096, kSigns = kPage, kNumbers = kPage + kMost * sizeof(Sign);
  static_assert(std::atomic<int64_t>::is_always_lock_free, "an atomic that works between processes");

  SharedSum(int64_t rank, int64_t processes) : rank_(rank), processes_(processes) {}

  size_t bytes() const { return static_cast<size_t>(kNumbers + kSlots * processes_ * kPiece * static_cast<int64_t>(sizeof(float))); }
  Sign& sign(int64_t process) const { return reinterpret_cast<Sign*>(memory_ + kSigns)[process]; }
  float* numbers(int64_t piece, int64_t process) const {
    return reinterpret_cast<float*>(memory_ + kNumbers) + (piece % kSlots * processes_ + process) * kPiece;
  }

  std::string attach(int64_t segment) {
    if (processes_ < 2 || processes_ > kMost || rank_ < 0 || rank_ >= processes_) return "2 to 64 processes are expected.";
    file_ = open(("/dev/shm/g2d-" + std::to_string(segment)).c_str(), O_RDWR | O_CLOEXEC);
    if (file_ < 0) return "There is no such shared memory.";
    // A lock that goes with the process tells the others that it lives.
    struct flock lock = byte_of(rank_);
    if (fcntl(file_, F_OFD_SETLK, &lock) != 0) return "The place in shared memory is taken.";
    // Not only the name of memory: without it the first write would end the process.
    if (posix_fallocate(file_, 0, static_cast<off_t>(bytes())) != 0) return "Shared memory is exhausted.";
    void* memory = mmap(nullptr, bytes(), PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (memory == MAP_FAILED) return "Shared memory cannot be mapped.";
    memory_ = static_cast<char*>(memory);
    return "";
  }

  static struct flock byte_of(int64_t process) {
    struct flock lock = {};
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_start = static_cast<off_t>(process);
    lock.l_len = 1;
    return lock;
  }

  bool lives(int64_t process) const {
    struct flock lock = byte_of(process);
    return fcntl(file_, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
  }

  void write(const float* x, int64_t piece, int64_t count) {
    std::memcpy(numbers(piece, rank_), x, static_cast<size_t>(count) * sizeof(float));
    Sign& own = sign(rank_);
    own.counts[piece % kSlots] = count;
    own.written.store(piece + 1, std::memory_order_release);
  }

  /** Waits for a piece of another process: false if that one is gone, or stopped. Short waits keep the processor, unless somebody wants it. */
  bool await(int64_t process, int64_t piece) const {
    const auto& written = sign(process).written;
    const auto there = [&] { return written.load(std::memory_order_acquire) > piece; };
    for (int turn = 0; turn < 2000; turn++) {
      if (there()) return true;
      if (turn >= 100) sched_yield();
    }
    using Clock = std::chrono::steady_clock;
    auto looked = Clock::now();
    int64_t beats = -1;
    for (int still = 0; !there();) {
      std::this_thread::sleep_for(std::chrono::microseconds(100));
      if (Clock::now() - looked < kSecond) continue;
      looked = Clock::now();
      const int64_t now = sign(process).beats.load(std::memory_order_relaxed);
      still = now == beats ? still + 1 : 0;
      beats = now;
      if (still >= kStill || !lives(process)) return there();
    }
    return true;
  }

  std::string add_up(const float* x, float* y, int64_t count) {
    const int64_t pieces = (count + kPiece - 1) / kPiece;
    const auto size = [&](int64_t i) { return std::min(kPiece, count - i * kPiece); };
    for (int64_t i = 0; i < pieces; i++, next_++) {
      if (i == 0) write(x, next_, size(0));
      if (i + 1 < pieces) write(x + (i + 1) * kPiece, next_ + 1, size(i + 1));
      float* to = y + i * kPiece;
      for (int64_t process = 0; process < processes_; process++) {
        if (process != rank_ && !await(process, next_)) return "/task:" + std::to_string(process) + " is gone.";
        if (sign(process).counts[next_ % kSlots] != size(i)) return "Processes add up tensors of different sizes.";
        const float* from = numbers(next_, process);
        if (process == 0) std::memcpy(to, from, static_cast<size_t>(size(i)) * sizeof(float));
        else for (int64_t n = 0; n < size(i); n++) to[n] += from[n];
      }
    }
    return "";
  }

  const int64_t rank_, processes_;
  int file_ = -1;
  char* memory_ = nullptr;
  /** The piece that comes next, counted over all sums. */
  int64_t next_ = 0;
};

void compute_shared_sum(const Options& o, Call& call) {
  TF_Tensor* x = call.input(0);
  if (!x) return;
  std::vector<int64_t> shape;
  for (int i = 0; i < TF_NumDims(x); i++) shape.push_back(TF_Dim(x, i));
  float* y = call.floats_out(0, shape);
  if (!call.ok()) return;
  const std::string problem =
      SharedSum::sum(o.place, static_cast<const float*>(TF_TensorData(x)), y, TF_TensorElementCount(x));
  if (!problem.empty()) call.fail(problem.c_str());
}

}  // namespace
}  // namespace g2d
#endif
