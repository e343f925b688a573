import { formatNumber } from '@g2d/core';
import { join } from 'node:path';
import { formatTable, readRunGroup, renderReport, resultsTable, type ReportSample } from '@g2d/analysis';
import { smallAvMnistSound } from '@g2d/datasets';
import { writeFileAtomic } from '@g2d/formats/node';
import type { Data } from './data.js';

/** The first test sample of every digit: a choice that does not look at the predictions. */
async function reportSamples(data: Data): Promise<ReportSample[]> {
  const samples = new Map<number, ReportSample>();
  for (let i = 0; i < data.test.size && samples.size < data.test.classNames.length; i++) {
    const sample = await data.test.sample(i);
    const { id, inputs } = sample;
    const label = sample.label as number;
    if (samples.has(label)) continue;
    const sound = await smallAvMnistSound({ sources: 'data', root: data.root, id });
    const picture = (modality: 'audio' | 'image') => {
      const [height, width] = data.test.shapes[modality] as [number, number];
      return { width, height, values: inputs[modality] };
    };
    samples.set(label, {
      id,
      label: data.test.classNames[label] as string,
      parts: [
        { modality: 'image', image: { ...picture('image'), colors: 'gray' } },
        // Row 0 of a spectrogram is the lowest frequency.
        { modality: 'audio', image: { ...picture('audio'), origin: 'bottom', colors: 'magma-like' }, sound },
      ],
    });
  }
  return [...samples].sort(([a], [b]) => a - b).map(([, sample]) => sample);
}

/** Writes `report.html` into the folder of a finished experiment. */
export async function writeReport(folder: string, data: Data, args: readonly string[]): Promise<string> {
  const path = join(folder, 'report.html');
  const page = renderReport({
    title: 'G2D on the small AV-MNIST',
    introduction:
      'Each sample is a handwritten digit, reduced to eight principal components, and a spoken recording of the same digit in real background noise at −5 dB. ' +
      '1,000 pairs to train on, 1,000 for validation, 2,000 to test; nothing is shared between the splits but the speakers.',
    group: readRunGroup(folder),
    samples: await reportSamples(data),
    command: ['npm start', ...(args.length > 0 ? ['--', ...args] : [])].join(' '),
  });
  writeFileAtomic(path, page);
  return path;
}

/** Prints the table of a finished experiment. */
export function printResults(folder: string): void {
  const group = readRunGroup(folder);
  const confidences = Object.entries(group.summary.confidences).map(
    ([m, rho]) => `${m} ${formatNumber(rho, 3)}`,
  );
  console.log(`\n${formatTable(resultsTable(group))}`);
  console.log(`\nConfidence of the teachers on the training split (Eq. 5): ${confidences.join(', ')}`);
}
