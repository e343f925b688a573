// Two classes of random pictures, as a dataset of the user's own. Plain JavaScript: a bundled program loads it as it is.
const SIZES = { train: 24, validation: 12, test: 12 };
/** As pictures, as sequences of rows, or as numbers. */
const SHAPES = { pictures: [8, 8, 1], rows: [8, 8], numbers: [64] };

/** Numbers in (−1, 1) by position alone. */
const noise = (seed) => {
  const x = Math.sin(seed * 12.9898) * 43758.5453;
  return 2 * (x - Math.floor(x)) - 1;
};

export default ({ split, inputs = 'pictures', task = 'classification', training = SIZES.train }) => {
  const size = split === 'train' ? training : SIZES[split];
  const first = { train: 0, validation: 1000, test: 2000 }[split];
  const picture = (index, signal) =>
    Float32Array.from(
      { length: 64 },
      (_, i) => noise(64 * (first + index) + i + signal) + (index % 2 === 0 ? signal : -signal),
    );
  // A regression's targets are of any size.
  const labelOf = (index) => (task === 'classification' ? index % 2 : (index % 5) - 1.5);
  return {
    name: 'random',
    split,
    task,
    modalities: ['loud', 'quiet'],
    shapes: { loud: SHAPES[inputs], quiet: SHAPES[inputs] },
    classNames: task === 'classification' ? ['a', 'b'] : [],
    ids: Array.from({ length: size }, (_, i) => `${split}/${i}`),
    labels: Array.from({ length: size }, (_, i) => labelOf(i)),
    size,
    close() {},
    async sample(index) {
      globalThis.g2dSampleIsRead?.();
      return {
        id: `${split}/${index}`,
        label: labelOf(index),
        inputs: { loud: picture(index, 0.7), quiet: picture(index, 0.1) },
      };
    },
  };
};
