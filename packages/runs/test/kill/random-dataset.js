// Two classes of random pictures, as a dataset of the user's own. Plain JavaScript: a bundled program loads it as it is.
const SIZES = { train: 24, validation: 12, test: 12 };
const SHAPE = [8, 8, 1];

/** Numbers in (−1, 1) by position alone. */
const noise = (seed) => {
  const x = Math.sin(seed * 12.9898) * 43758.5453;
  return 2 * (x - Math.floor(x)) - 1;
};

export default ({ split }) => {
  const size = SIZES[split];
  const first = { train: 0, validation: 1000, test: 2000 }[split];
  const picture = (index, signal) =>
    Float32Array.from(
      { length: 64 },
      (_, i) => noise(64 * (first + index) + i + signal) + (index % 2 === 0 ? signal : -signal),
    );
  return {
    name: 'random',
    split,
    task: 'classification',
    modalities: ['loud', 'quiet'],
    shapes: { loud: SHAPE, quiet: SHAPE },
    classNames: ['a', 'b'],
    ids: Array.from({ length: size }, (_, i) => `${split}/${i}`),
    labels: Array.from({ length: size }, (_, i) => i % 2),
    size,
    close() {},
    async sample(index) {
      globalThis.g2dSampleIsRead?.();
      return {
        id: `${split}/${index}`,
        label: index % 2,
        inputs: { loud: picture(index, 0.7), quiet: picture(index, 0.1) },
      };
    },
  };
};
