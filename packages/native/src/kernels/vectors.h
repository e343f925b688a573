#pragma once
// What the processor computes with, and may.
#include <cctype>
#include <cstdlib>
#include <string>

namespace g2d {

enum class Vectors { kNone, kAvx2, kAvx512 };

/** Chosen when the library is loaded: a cache may be shared by several machines. */
inline Vectors vectors() {
  static const Vectors chosen = [] {
#if defined(__x86_64__)
    // What oneDNN, and with it TensorFlow, is told holds here too.
    const char* told = std::getenv("ONEDNN_MAX_CPU_ISA");
    if (!told) told = std::getenv("DNNL_MAX_CPU_ISA");
    std::string most = told ? told : "";
    for (char& letter : most) letter = static_cast<char>(std::toupper(static_cast<unsigned char>(letter)));
    const bool none = most.rfind("SSE", 0) == 0 || most == "AVX";
    __builtin_cpu_init();
    if (none || !__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return Vectors::kNone;
    if (most.rfind("AVX2", 0) != 0 && __builtin_cpu_supports("avx512f")) return Vectors::kAvx512;
    return Vectors::kAvx2;
#else
    return Vectors::kNone;
#endif
  }();
  return chosen;
}

}  // namespace g2d
