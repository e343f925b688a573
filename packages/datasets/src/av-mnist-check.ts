import { DatasetNotFoundError } from '@g2d/tensor-ops';
import { avMnist, AV_MNIST_HOW_TO_GET } from './av-mnist.js';
import type { DatasetCheck } from './dataset-check.js';

export interface CheckAvMnistOptions {
  /** Called now and then with the part done, in [0, 1]. */
  readonly onProgress?: (done: number) => void;
}

const EXPECTED = { train: 60_000, test: 10_000 } as const;
const SHAPES: Readonly<Record<string, string>> = { audio: '112 × 112', image: '28 × 28' };

/**
 * Looks through a folder of AV-MNIST: its files, their shapes, and every number in them, some 1.3 GB. It takes about ten seconds.
 *
 * The validation part is counted among the training rows, whose end it is.
 *
 * @param folder As `root` of `avMnist`. It may be incomplete, or not there.
 * @example
 * const { asPublished, problems } = await checkAvMnist('data/avmnist');
 */
export async function checkAvMnist(
  folder: string,
  { onProgress }: CheckAvMnistOptions = {},
): Promise<DatasetCheck> {
  const problems = new Map<string, string[]>();
  const report = (reason: string, id: string): void => {
    problems.set(reason, [...(problems.get(reason) ?? []), id]);
  };
  const found: Record<string, number> = { train: 0, test: 0 };
  for (const split of ['train', 'test'] as const) {
    const dataset = await avMnist({ root: folder, split, validationRows: 0 }).catch((error: unknown) =>
      reportOpening(error, report),
    );
    if (dataset === undefined) continue;
    found[split] = dataset.size;
    for (const modality of dataset.modalities) {
      const [height, width] = dataset.shapes[modality];
      const size = `${height} × ${width}`;
      if (size !== SHAPES[modality]) {
        report(
          `another size than published (${modality} ${SHAPES[modality]})`,
          `${modality}, ${split}: ${size}`,
        );
      }
    }
    for (let index = 0; index < dataset.size; index++) {
      if (index % 1000 === 0) onProgress?.((index + (split === 'test' ? EXPECTED.train : 0)) / 70_000);
      const failed = await dataset.sample(index).then(() => undefined, reasonOf);
      if (failed !== undefined)
        report('row that cannot be used', `${dataset.ids[index] as string}: ${failed}`);
    }
    await dataset.close();
  }
  return {
    dataset: 'AV-MNIST',
    folder,
    licence: 'none stated',
    howToGet: AV_MNIST_HOW_TO_GET,
    expected: EXPECTED,
    found,
    problems: [...problems].map(([reason, ids]) => ({ reason, ids })),
    asPublished: problems.size === 0 && found['train'] === EXPECTED.train && found['test'] === EXPECTED.test,
  };
}

function reportOpening(error: unknown, report: (reason: string, id: string) => void): undefined {
  if (error instanceof DatasetNotFoundError) {
    for (const name of error.details['missing'] as readonly string[]) report('file missing', name);
  } else {
    report('file that cannot be used', reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
