// Saved encoders in a real browser, on a page that has TensorFlow.js and nothing of ours: load, predict, same numbers.
import * as tf from '@tensorflow/tfjs';
import { loadTensorFlow } from '@g2d/native';
import { expectTensorClose } from '@g2d/tensor-ops/testing';
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBrowser, runPage } from '../../../test/browser/run-page.js';
import { mlp } from './mlp.js';
import { mobileNetV2 } from './mobilenet-v2.js';
import { resnet18 } from './resnet18.js';
import { tabularMlp } from './tabular-mlp.js';
import { transformer } from './transformer.js';
import { unimodalClassifier } from './unimodal-classifier.js';

const browser = findBrowser();
const missing = 'no browser: install Debian’s chromium, or name one in CHROMIUM';
if (!browser) console.warn(missing);

describe('a saved encoder in a browser', () => {
  let folder: string;
  const expected: Record<string, tf.Tensor[]> = {};

  beforeAll(async () => {
    await loadTensorFlow({ backend: 'tensorflow', quiet: true });
    folder = await mkdtemp(join(tmpdir(), 'g2d-encoders-'));
    if (!browser) return;
    const small = { seed: 1, layers: 2, heads: 2, width: 16, feedForward: 24 };
    const encoders: Record<string, [encoder: tf.LayersModel, ...shapes: number[][]]> = {
      teacher: [
        unimodalClassifier(resnet18({ name: 'audio', inputShape: [33, 30, 1], seed: 1 }), {
          classes: 6,
          seed: 1,
        }),
        [2, 33, 30, 1],
      ],
      frames: [resnet18({ name: 'video', inputShape: [null, 32, 32, 3], seed: 1 }), [1, 2, 32, 32, 3]],
      image: [mobileNetV2({ name: 'image', inputShape: [32, 32, 3], seed: 1 }), [1, 32, 32, 3]],
      weather: [tabularMlp({ name: 'weather', inputShape: [8], seed: 1 }), [3, 8]],
      shape: [mlp({ name: 'shape', inputShape: [8], seed: 1, hidden: [6], features: 4 }), [3, 8]],
      text: [transformer({ name: 'text', inputShape: [5, 7], ...small }), [2, 5, 7]],
      masked: [
        transformer({ name: 'masked', inputShape: [null, 7], ...small, paddingMask: true }),
        [2, 5, 7],
        [2, 5],
      ],
    };
    for (const [name, [encoder, ...shapes]] of Object.entries(encoders)) {
      const inputs = shapes.map((shape) =>
        tf.tensor(
          Array.from({ length: tf.util.sizeFromShape(shape) }, (_, i) => Math.sin(i)),
          shape,
        ),
      );
      // One pass in training mode, so that running statistics are not those of a fresh model.
      tf.dispose(
        encoder.apply(inputs.length > 1 ? inputs : inputs[0]!, { training: true }) as tf.Tensor | tf.Tensor[],
      );
      expected[name] = [
        encoder.apply(inputs.length > 1 ? inputs : inputs[0]!) as tf.Tensor | tf.Tensor[],
      ].flat();
      await encoder.save(pathToFileURL(join(folder, name)).href);
    }
    const shapes = Object.fromEntries(Object.entries(encoders).map(([name, [, ...rest]]) => [name, rest]));
    await writeFile(join(folder, 'cases.json'), JSON.stringify(shapes));
    const tfjs = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs/package.json'));
    await copyFile(join(tfjs, 'dist/tf.min.js'), join(folder, 'tf.min.js'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  // Only a user's machine may lack one.
  it('has a browser to run in where CI runs', () => {
    expect(browser !== undefined || !process.env['CI'], missing).toBe(true);
  });

  // In software WebGL takes seconds for each shape of convolution, so it gets the encoders without ResNet's.
  const backends = {
    cpu: ['teacher', 'frames', 'image', 'weather', 'text', 'masked'],
    webgl: ['weather', 'text', 'masked'],
  };
  const title = browser ? 'gives the numbers of Node' : `gives the numbers of Node (${missing})`;
  it.skipIf(!browser).each(Object.entries(backends))(`%s: ${title}`, async (backend, names) => {
    const page = await runPage({
      browser: browser!,
      folders: [join(import.meta.dirname, '../test/browser'), folder],
      page: `/page.html?backend=${backend}&encoders=${names.join()}`,
      timeoutMs: 50_000,
    });
    const result = page as { backend: string; outputs: Record<string, number[][]> };
    expect(result.backend).toBe(backend);
    expect(Object.keys(result.outputs)).toEqual(names);
    for (const name of names) {
      const outputs = result.outputs[name]!;
      expect(outputs).toHaveLength(expected[name]!.length);
      expected[name]!.forEach((tensor, i) => {
        const largest = Math.max(...outputs[i]!.map(Math.abs));
        expect(largest, name).toBeGreaterThan(0);
        // Sums in another order: 2e-6 of the largest value were seen.
        expectTensorClose(tensor, outputs[i]!, { atol: 1e-5 * largest });
      });
    }
  });
});
