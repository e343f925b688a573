// Saved models of fusions that nest layers, in a real browser, on a page that has TensorFlow.js and nothing of ours.
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
import { modelOf, type Build } from '../test/fusions.js';
import { crossAttentionFusion } from './cross-attention-fusion.js';
import { filmFusion } from './film-fusion.js';

const browser = findBrowser();
const missing = 'no browser: install Debian’s chromium, or name one in CHROMIUM';
if (!browser) console.warn(missing);

const models: Record<string, [modalities: string[], build: Build]> = {
  attention: [['a', 'b', 'c'], (options) => crossAttentionFusion({ ...options, hidden: 8, heads: 2 })],
  film: [['a', 'b'], (options) => filmFusion({ ...options, hidden: 3 })],
};

describe('a saved multimodal model in a browser', () => {
  let folder: string;
  const expected: Record<string, tf.Tensor[]> = {};

  beforeAll(async () => {
    await loadTensorFlow({ backend: 'tensorflow', quiet: true });
    folder = await mkdtemp(join(tmpdir(), 'g2d-fusion-'));
    if (!browser) return;
    const shapes: Record<string, number[][]> = {};
    for (const [name, [modalities, build]] of Object.entries(models)) {
      const model = modelOf(modalities, build);
      // The page's numbers.
      const x = tf.tensor2d(
        Array.from({ length: 6 }, (_, i) => Math.sin(i)),
        [2, 3],
      );
      const { logits, unimodalLogits } = model.forward(
        { inputs: Object.fromEntries(modalities.map((modality) => [modality, x])) },
        { training: false },
      );
      expected[name] = [logits, ...Object.values(unimodalLogits)];
      shapes[name] = modalities.map(() => [2, 3]);
      await model.toLayersModel().save(pathToFileURL(join(folder, name)).href);
    }
    await writeFile(join(folder, 'cases.json'), JSON.stringify(shapes));
    const tfjs = dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs/package.json'));
    await copyFile(join(tfjs, 'dist/tf.min.js'), join(folder, 'tf.min.js'));
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  // Only a user's machine may lack one.
  it('has a browser to run in where CI runs', () => {
    expect(browser !== undefined || !process.env['CI'], missing).toBe(true);
  });

  const title = browser ? 'gives the numbers of Node' : `gives the numbers of Node (${missing})`;
  it.skipIf(!browser).each(['cpu', 'webgl'])(`%s: ${title}`, async (backend) => {
    const page = await runPage({
      browser: browser!,
      folders: [join(import.meta.dirname, '../../encoders/test/browser'), folder],
      page: `/page.html?backend=${backend}&encoders=${Object.keys(models).join()}`,
      timeoutMs: 50_000,
    });
    const result = page as { backend: string; outputs: Record<string, number[][]> };
    expect(result.backend).toBe(backend);
    for (const [name, tensors] of Object.entries(expected)) {
      const outputs = result.outputs[name]!;
      expect(outputs).toHaveLength(tensors.length);
      tensors.forEach((tensor, i) => {
        const largest = Math.max(...outputs[i]!.map(Math.abs));
        expect(largest, name).toBeGreaterThan(0);
        expectTensorClose(tensor, outputs[i]!, { atol: 1e-5 * largest });
      });
    }
  });
});
