// How the sides of a product are copied into panels, [depth, width] each.

/** Values of the depth in one place of a panel. */
constexpr int64_t kValues = 1;

/** [width, count], its rows wherever they lie, to [count, width]: four by four, the last ones of a width of 6 twice. */
template <int width>
G2D_TARGET inline void pack_along(const float* const* lines, int64_t count, float* to) {
  int64_t k = 0;
  for (; k + 4 <= count; k += 4, to += 4 * width)
    for (int done = 0; done < width; done += 4) {
      const int first = done + 4 <= width ? done : width - 4;
      __m128 a = _mm_loadu_ps(lines[first] + k), b = _mm_loadu_ps(lines[first + 1] + k);
      __m128 c = _mm_loadu_ps(lines[first + 2] + k), d = _mm_loadu_ps(lines[first + 3] + k);
      _MM_TRANSPOSE4_PS(a, b, c, d);
      _mm_storeu_ps(to + first, a);
      _mm_storeu_ps(to + width + first, b);
      _mm_storeu_ps(to + 2 * width + first, c);
      _mm_storeu_ps(to + 3 * width + first, d);
    }
  for (; k < count; k++, to += width)
    for (int i = 0; i < width; i++) to[i] = lines[i][k];
}

/** One row of some panels: [count] to the same place of each, `step` apart; zeros behind. */
template <int width>
G2D_TARGET inline void pack_across(const float* const* lines, int64_t count, float* to, int64_t step) {
  const float* line = lines[0];
  for (; count >= width; count -= width, line += width, to += step) std::memcpy(to, line, width * sizeof(float));
  if (count <= 0) return;
  for (int i = 0; i < width; i++) to[i] = i < count ? line[i] : 0;
}
