#pragma once
// What the processor computes with, and may.
#include <cctype>
#include <cstdlib>
#include <string>
#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace g2d {

enum class Vectors { kNone, kAvx2, kAvx512 };

/**
 * What this processor has and this system saves between two processes. Asked of the processor itself: the compiler's own question has no answer in
 * every runtime library.
 */
inline Vectors present() {
#if defined(__x86_64__)
  unsigned a, b, c, d, saved, high;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE) || !(c & bit_FMA)) return Vectors::kNone;
  asm volatile("xgetbv" : "=a"(saved), "=d"(high) : "c"(0));
  const bool ymm = (saved & 0x06) == 0x06, zmm = (saved & 0xe6) == 0xe6;
  if (!ymm || !__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & bit_AVX2)) return Vectors::kNone;
  return zmm && (b & bit_AVX512F) ? Vectors::kAvx512 : Vectors::kAvx2;
#else
  return Vectors::kNone;
#endif
}

/** What oneDNN, and with it TensorFlow, is told to use at most: that holds here too. In capitals; empty if nothing was said. */
inline std::string most_vectors() {
  const char* told = std::getenv("ONEDNN_MAX_CPU_ISA");
  if (!told) told = std::getenv("DNNL_MAX_CPU_ISA");
  std::string most = told ? told : "";
  for (char& letter : most) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
  return most;
}

inline Vectors vectors() {
  static const Vectors chosen = [] {
    const std::string most = most_vectors();
    if (most.rfind("SSE", 0) == 0 || most == "AVX") return Vectors::kNone;
    const Vectors here = present();
    return here == Vectors::kAvx512 && most.rfind("AVX2", 0) == 0 ? Vectors::kAvx2 : here;
  }();
  return chosen;
}

/**
 * Whether products in bfloat16 are ours: vectors of it are there, and no AMX, whose tiles TensorFlow's oneDNN uses and which multiply many times
 * as much.
 */
inline bool bfloat16_vectors() {
  static const bool chosen = [] {
#if defined(__x86_64__)
    unsigned a, b, c, d;
    const std::string most = most_vectors();
    const bool narrow = most == "AVX512_CORE" || most == "AVX512_CORE_VNNI";
    if (vectors() != Vectors::kAvx512 || narrow || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
    const bool words = b & bit_AVX512BW, short_vectors = b & bit_AVX512VL, tiles = d & (1u << 22);
    if (!words || !short_vectors || (tiles && most.rfind("AVX512_CORE_BF16", 0) != 0 && most != "AVX512_CORE_FP16")) return false;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & (1u << 5));
#else
    return false;
#endif
  }();
  return chosen;
}

}  // namespace g2d
