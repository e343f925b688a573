const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/**
 * Random words of 32 bits that are computed from their places, so that any part of them can be computed anywhere: Threefry2x32 with 13 rounds,
 * with the key (seed, 0). A group of 16 words comes from eight counters: first all first words, then all second ones, as vectors of
 * eight give them. `@g2d/native`'s kernels compute the same.
 *
 * @param seed Its lower 32 bits count; derive it with `deriveSeed`.
 * @param count How many.
 * @param from The place of the first.
 * @see Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011
 */
export function randomWords(seed: number, count: number, from = 0): Uint32Array {
  const before = from % 16;
  const words = new Uint32Array(Math.ceil((before + count) / 16) * 16);
  const key = [seed | 0, 0, 0x1bd11bda ^ seed];
  for (let group = 0; group < words.length; group += 16) {
    for (let lane = 0; lane < 8; lane++) {
      const counter = (from - before + group) / 2 + lane;
      let a = (counter + key[0]!) | 0;
      let b = Math.floor(counter / 2 ** 32) | 0;
      for (let round = 0; round < 13; round++) {
        a = (a + b) | 0;
        const turned = ROTATIONS[round & 7]!;
        b = ((b << turned) | (b >>> (32 - turned))) ^ a;
        if ((round & 3) !== 3) continue;
        const turn = (round >> 2) + 1;
        a = (a + key[turn % 3]!) | 0;
        b = (b + key[(turn + 1) % 3]! + turn) | 0;
      }
      words[group + lane] = a;
      words[group + 8 + lane] = b;
    }
  }
  return words.subarray(before, before + count);
}
