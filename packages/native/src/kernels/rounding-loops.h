// How the sides of a product in bfloat16 are rounded into panels: two values that follow one another in the depth in one place, [depth / 2, width].
// To the nearest, ties to even; what is not a number stays that, and subnormal numbers become zero.

constexpr int64_t kValues = 2;

G2D_TARGET inline __m128 pairs(const float* from) { return (__m128)_mm256_cvtneps_pbh(_mm256_loadu_ps(from)); }

/** [width, count], its rows wherever they lie: four rows of eight values by four, as in the loops of float32. */
template <int width>
G2D_TARGET inline void pack_along(const float* const* lines, int64_t count, float* to) {
  int64_t k = 0;
  for (; k + 8 <= count; k += 8, to += 4 * width)
    for (int done = 0; done < width; done += 4) {
      const int first = done + 4 <= width ? done : width - 4;
      __m128 a = pairs(lines[first] + k), b = pairs(lines[first + 1] + k);
      __m128 c = pairs(lines[first + 2] + k), d = pairs(lines[first + 3] + k);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      _mm_storeu_ps(to + first, a);
      _mm_storeu_ps(to + width + first, b);
      _mm_storeu_ps(to + 2 * width + first, c);
      _mm_storeu_ps(to + 3 * width + first, d);
    }
  for (; k < count; k += 2, to += width)
    for (int i = 0; i < width; i++) {
      const float next = k + 1 < count ? lines[i][k + 1] : 0;
      _mm_store_ss(to + i, (__m128)_mm_cvtneps_pbh(_mm_set_ps(0, 0, next, lines[i][k])));
    }
}

/** Two rows of some panels, or the last one alone: [count] each to the same place of each, `step` apart; zeros behind. */
template <int width>
G2D_TARGET inline void pack_across(const float* const* lines, int64_t count, float* to, int64_t step) {
  for (int64_t done = 0; done < count; done += width, to += step)
    for (int64_t from = 0; from < width; from += 16) {
      const int64_t wide = std::min<int64_t>(16, width - from), place = done + from;
      const int64_t inside = std::max<int64_t>(0, std::min(wide, count - place));
      const __mmask16 reads = static_cast<__mmask16>((1u << inside) - 1);
      const __m512 first = _mm512_maskz_loadu_ps(reads, lines[0] + place);
      const __m512 second = lines[1] ? _mm512_maskz_loadu_ps(reads, lines[1] + place) : _mm512_setzero_ps();
      const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(first));
      const __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(second)), 16);
      _mm512_mask_storeu_epi32(to + from, static_cast<__mmask16>((1u << wide) - 1), _mm512_or_si512(low, high));
    }
}
