import { existsSync } from 'node:fs';
import { openNpy } from '@g2d/formats/node';
import { checkKeys, DatasetNotFoundError } from '@g2d/core';
import { AV_MNIST_HOW_TO_GET, avMnistFiles, openAvMnist } from './open.js';
import type { DatasetCheck } from '@g2d/core';

/** Settings of `checkAvMnist`. */
export interface CheckAvMnistOptions {
  /** Called now and then with the part done, in [0, 1]. */
  readonly onProgress?: ((done: number) => void) | undefined;
}

const EXPECTED = { train: 60_000, test: 10_000 } as const;
const SHAPES: Readonly<Record<string, string>> = { audio: '112 × 112', image: '28 × 28' };

/**
 * Looks through a folder of AV-MNIST: its files, their shapes, and every number in them, some 1.3 GB. It takes about ten seconds.
 *
 * The validation split is counted among the training rows, whose end it is.
 *
 * @param folder As `root` of `avMnist`. It may be incomplete, or not there.
 * @example
 * const { asPublished, problems } = await checkAvMnist('data/avmnist');
 */
export async function checkAvMnist(folder: string, options: CheckAvMnistOptions = {}): Promise<DatasetCheck> {
  const { onProgress } = checkKeys(options, { onProgress: true }, 'checkAvMnist');
  const problems = new Map<string, string[]>();
  const report = (reason: string, id: string): void => {
    const ids = problems.get(reason);
    // 70,000 rows may come under one reason.
    if (ids) ids.push(id);
    else problems.set(reason, [id]);
  };
  const found: Record<string, number> = { train: 0, test: 0 };
  for (const split of ['train', 'test'] as const) {
    const dataset = await openAvMnist({ root: folder, split, official: true }).catch((error: unknown) => {
      if (!(error instanceof DatasetNotFoundError)) return void report(UNUSABLE, reasonOf(error));
      for (const name of error.details['missing'] as readonly string[]) report('file missing', name);
    });
    if (dataset === undefined) {
      // Opening stops at the first: what is wrong with the others?
      for (const path of avMnistFiles(folder, split)) {
        const reason = existsSync(path) ? reasonAgainst(path) : undefined;
        if (reason !== undefined && !problems.get(UNUSABLE)?.includes(reason)) report(UNUSABLE, reason);
      }
      continue;
    }
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

const UNUSABLE = 'file that cannot be used';

/** What can be seen of a file alone. */
function reasonAgainst(path: string): string | undefined {
  try {
    openNpy(path).close();
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
