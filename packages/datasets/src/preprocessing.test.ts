// What datasets say of their preprocessing is what they do: raw numbers, treated as it says, are the inputs.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Preprocessing } from '@g2d/core';
import { openNpy, readImage } from '@g2d/formats/node';
import { avMnist } from './av-mnist.js';
import { FRAMES, readFrames } from './clips/read-frames.js';
import { fromSamples } from './from-samples.js';
import { misMe } from './mis-me.js';
import { readMisMeTable } from './mis-me/table.js';
import { missingModalities } from './missing-modalities.js';
import { resize } from './transforms/resize.js';

const fixtures = fileURLToPath(new URL('../../../test/fixtures', import.meta.url));

/** (x / divideBy − mean) / std by the last axis; a gap is the mean. */
function applied(raw: ArrayLike<number>, { divideBy = 1, mean, std }: Preprocessing): number[] {
  const width = mean?.length ?? 1;
  return Array.from(raw, (x, i) =>
    Number.isNaN(x) ? 0 : (x / divideBy - (mean?.[i % width] ?? 0)) / (std?.[i % width] ?? 1),
  );
}

const expectClose = (actual: ArrayLike<number>, expected: readonly number[]): void => {
  expect(actual.length).toBe(expected.length);
  expect(expected.findIndex((value, i) => !(Math.abs(value - (actual[i] as number)) < 1e-5))).toBe(-1);
};

describe('preprocessing', () => {
  it('of AV-MNIST', async () => {
    const root = join(fixtures, 'avmnist/avmnist');
    const dataset = await avMnist({ root, split: 'test' });
    const { inputs } = await dataset.sample(3);
    for (const modality of ['audio', 'image'] as const) {
      const file = openNpy(join(root, `${modality}/test_data.npy`));
      expectClose(inputs[modality], applied(file.row(3), dataset.preprocessing![modality]!));
      file.close();
    }
    await dataset.close();
  });

  it('of MIS-ME, and a wrapper hands it on', async () => {
    const tableFolder = join(fixtures, 'io/misme/classification');
    const options = { root: '/', tableFolder, imageFolder: join(fixtures, 'datasets/misme/images') };
    const dataset = missingModalities(await misMe({ ...options, split: 'test' }), { rate: 0 });
    const { id, inputs } = await dataset.sample(1);
    const { image, table } = dataset.preprocessing!;
    const [height, width] = image!.size!;
    const picture = await readImage(join(options.imageFolder, id));
    expectClose(inputs.image, applied(resize(picture, { height, width }), image!));
    const rows = await readMisMeTable(join(tableFolder, 'combined_only_test_set.xlsx'));
    expectClose(inputs.table, applied(rows[1]!.features, table!));
  });

  it('of frames', async () => {
    const path = join(fixtures, 'datasets/misme/images');
    const { readdirSync } = await import('node:fs');
    const picture = join(path, readdirSync(path).sort()[0] as string);
    const [height, width] = FRAMES.size!;
    expectClose(
      await readFrames([picture]),
      applied(resize(await readImage(picture), { height, width }), FRAMES),
    );
  });

  it('of one’s own data', () => {
    const own = (preprocessing: Readonly<Record<string, Preprocessing>>) =>
      fromSamples({
        name: 'leaves',
        split: 'train',
        classNames: ['ill'],
        samples: [{ label: 0, inputs: { photo: [1] } }],
        preprocessing,
      });
    expect(own({ photo: { from: 'bytes', divideBy: 255 } }).preprocessing).toEqual({
      photo: { from: 'bytes', divideBy: 255 },
    });
    expect(() => own({ foto: { from: 'bytes' } })).toThrow(/"foto".*photo/);
  });
});
