#pragma once
// The core of multi-head self-attention, one head of one sample at a time, so that all of it stays in a core's cache. Of the
// scores only a block of rows is there at once; the gradient computes them again.
#include "rows.h"
#include "scratch.h"
#include "vector-loops.h"
#include "workers.h"

namespace g2d {

/** [B, T, 3·H·d]: queries, keys and values of all heads. */
struct Attention {
  int64_t batch, time, heads, size;
  /** Of the products. */
  float scale;
  /** Threshold and factor of the dropout of weights. */
  Draw draw;
  /** One for each head. */
  const uint32_t* seeds;

  int64_t width() const { return heads * size; }
};

/** Rows of scores at once. */
constexpr int64_t kScoreRows = 48;

inline int64_t whole_panels(int64_t columns) {
  const int64_t panel = panel_loops().panel;
  return (columns + panel - 1) / panel * panel;
}

/** A matrix in rows, `step` apart. */
struct Rows {
  float* data;
  int64_t step;
};

/** c = a b, of [rows, depth] and [depth, columns]; b and c have whole panels of columns. */
inline void multiply(const float* a, int64_t a_step, const Rows& b, const Rows& c, int64_t rows, int64_t depth,
                     int64_t columns) {
  for (int64_t at = 0; at < columns; at += panel_loops().panel)
    panel_loops().product(a, a_step, b.data + at, b.step, c.data + at, c.step, rows, depth);
}

/** c += aᵀ b, of [depth, rows] and [depth, columns]. */
inline void multiply_transposed(const Rows& a, const Rows& b, const Rows& c, int64_t rows, int64_t depth,
                                int64_t columns) {
  for (int64_t at = 0; at < columns; at += panel_loops().panel)
    panel_loops().tall_product(a.data, a.step, b.data + at, b.step, c.data + at, c.step, rows, depth);
}

/** One head's share of a thread's memory. */
class HeadMemory {
 public:
  HeadMemory(const Attention& a, int64_t matrices, int64_t transposed, int64_t blocks)
      : size_(a.size), time_(a.time), columns_(whole_panels(a.size)), steps_(whole_panels(a.time)) {
    next_ = part_scratch().get((matrices * a.time * columns_) + (transposed * a.size * steps_) +
                               (blocks + 1) * kScoreRows * steps_);
  }

  /** [T, d] with whole panels: the values where they lie, or a copy with zeros behind each row. */
  Rows matrix(const float* from, int64_t step) {
    if (size_ == columns_) return {const_cast<float*>(from), step};
    const Rows copy = take(time_, columns_);
    for (int64_t t = 0; t < time_; t++) {
      std::memcpy(copy.data + t * columns_, from + t * step, size_ * sizeof(float));
      std::fill(copy.data + t * columns_ + size_, copy.data + (t + 1) * columns_, 0.0f);
    }
    return copy;
  }

  /** [T, d] to write to: the result itself, or memory that `finish` copies to it. */
  Rows result(float* to, int64_t step, bool zeros) {
    const Rows rows = size_ == columns_ ? Rows{to, step} : take(time_, columns_);
    if (zeros)
      for (int64_t t = 0; t < time_; t++) std::fill(rows.data + t * rows.step, rows.data + t * rows.step + columns_, 0.0f);
    return rows;
  }

  void finish(const Rows& rows, float* to, int64_t step) const {
    if (rows.data == to) return;
    for (int64_t t = 0; t < time_; t++) std::memcpy(to + t * step, rows.data + t * rows.step, size_ * sizeof(float));
  }

  /** [d, T] with whole panels. */
  Rows transposed(const float* from, int64_t step) {
    const Rows copy = take(size_, steps_);
    // Eight steps at once: their lines stay in the first cache, where those of all steps push each other out.
    for (int64_t first = 0; first < time_; first += 8) {
      const int64_t last = std::min(time_, first + 8);
      for (int64_t i = 0; i < size_; i++)
        for (int64_t t = first; t < last; t++) copy.data[i * steps_ + t] = from[t * step + i];
    }
    for (int64_t i = 0; i < size_; i++) std::fill(copy.data + i * steps_ + time_, copy.data + (i + 1) * steps_, 0.0f);
    return copy;
  }

  Rows scores() { return take(kScoreRows, steps_); }

  /** Dropout's factors of a block of rows, one behind the other as in [B, T, T], or nothing. */
  const float* factors(const Draw& draw, int64_t sample, int64_t from, int64_t rows) {
    if (draw.threshold == 0) return nullptr;
    if (!factors_) factors_ = take(kScoreRows, time_).data;
    row_loops().factors(draw, (sample * time_ + from) * time_, rows * time_, factors_);
    return factors_;
  }

 private:
  Rows take(int64_t rows, int64_t columns) {
    const Rows taken{next_, columns};
    next_ += rows * columns;
    return taken;
  }

  const int64_t size_, time_, columns_, steps_;
  float* next_;
  float* factors_ = nullptr;
};

/** Calls work(b, h, from, to) for each head of each sample. */
template <typename Work>
void each_head(const Attention& a, Work work) {
  Workers::get().run(a.batch * a.heads, [&](int64_t i) { work(i / a.heads, i % a.heads); });
}

/** y [B, T, H·d]; the mask [B, T] is added to every row of scores. */
inline void attend(const Attention& a, const float* projected, const float* mask, float* y) {
  const int64_t width = a.width(), step = 3 * width, columns = whole_panels(a.size), steps = whole_panels(a.time);
  each_head(a, [&](int64_t b, int64_t h) {
    const float* queries = projected + b * a.time * step + h * a.size;
    float* out = y + b * a.time * width + h * a.size;
    HeadMemory memory(a, 2, 1, 1);
    const Rows keys = memory.transposed(queries + width, step);
    const Rows values = memory.matrix(queries + 2 * width, step);
    const Rows result = memory.result(out, width, false);
    const Rows scores = memory.scores();
    Draw draw = a.draw;
    if (draw.threshold > 0) draw.seed = a.seeds[h];
    for (int64_t from = 0; from < a.time; from += kScoreRows) {
      const int64_t rows = std::min(kScoreRows, a.time - from);
      multiply(queries + from * step, step, keys, scores, rows, a.size, steps);
      const float* factors = memory.factors(draw, b, from, rows);
      for (int64_t r = 0; r < rows; r++) {
        float* row = scores.data + r * scores.step;
        row_loops().softmax_row(row, a.time, a.scale, mask ? mask + b * a.time : nullptr);
        if (factors) row_loops().multiply_row(row, factors + r * a.time, a.time);
      }
      multiply(scores.data, scores.step, values, {result.data + from * result.step, result.step}, rows, a.time, columns);
    }
    memory.finish(result, out, width);
  });
}

/** The gradient of `projected`. */
inline void attend_gradient(const Attention& a, const float* projected, const float* mask, const float* dy,
                            float* gradient) {
  const int64_t width = a.width(), step = 3 * width, columns = whole_panels(a.size), steps = whole_panels(a.time);
  each_head(a, [&](int64_t b, int64_t h) {
    const float* from_queries = projected + b * a.time * step + h * a.size;
    float* to_queries = gradient + b * a.time * step + h * a.size;
    const float* from_above = dy + b * a.time * width + h * a.size;
    HeadMemory memory(a, 6, 2, 2);
    const Rows keys_across = memory.transposed(from_queries + width, step);
    const Rows values_across = memory.transposed(from_queries + 2 * width, step);
    const Rows queries = memory.matrix(from_queries, step);
    const Rows keys = memory.matrix(from_queries + width, step);
    const Rows above = memory.matrix(from_above, width);
    const Rows dqueries = memory.result(to_queries, step, false);
    const Rows dkeys = memory.result(to_queries + width, step, true);
    const Rows dvalues = memory.result(to_queries + 2 * width, step, true);
    const Rows weights = memory.scores(), dscores = memory.scores();
    Draw draw = a.draw;
    if (draw.threshold > 0) draw.seed = a.seeds[h];
    for (int64_t from = 0; from < a.time; from += kScoreRows) {
      const int64_t rows = std::min(kScoreRows, a.time - from);
      const auto block = [from](const Rows& all) { return Rows{all.data + from * all.step, all.step}; };
      multiply(block(queries).data, queries.step, keys_across, weights, rows, a.size, steps);
      multiply(block(above).data, above.step, values_across, dscores, rows, a.size, steps);
      const float* factors = memory.factors(draw, b, from, rows);
      for (int64_t r = 0; r < rows; r++) {
        float* row = weights.data + r * weights.step;
        row_loops().softmax_row(row, a.time, a.scale, mask ? mask + b * a.time : nullptr);
        row_loops().softmax_gradient_row(row, dscores.data + r * dscores.step, a.time, a.scale,
                                         factors ? factors + r * a.time : nullptr);
      }
      multiply(dscores.data, dscores.step, keys, block(dqueries), rows, a.time, columns);
      multiply_transposed(dscores, block(queries), dkeys, a.time, rows, columns);
      multiply_transposed(weights, block(above), dvalues, a.time, rows, columns);
    }
    memory.finish(dqueries, to_queries, step);
    memory.finish(dkeys, to_queries + width, step);
    memory.finish(dvalues, to_queries + 2 * width, step);
  });
}

}  // namespace g2d
