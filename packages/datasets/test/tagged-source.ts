// Samples with any number of classes that a worker can open again.
import { fromSamples } from '../src/from-samples.js';

export const tagged = () =>
  fromSamples<'x'>({
    name: 'tagged',
    split: 'train',
    task: 'multi-label',
    classNames: ['a', 'b', 'c'],
    ids: ['0', '1', '2', '3', '4'],
    shapes: { x: [1] },
    read: (id) => ({
      label: [0, 1, 2].filter((bit) => (Number(id) >> bit) & 1),
      inputs: { x: [Number(id)] },
    }),
    source: { module: import.meta.url, name: 'tagged', options: {} },
  });
