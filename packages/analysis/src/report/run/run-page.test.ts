import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { syntheticSamples } from '../../../fixtures/synthetic-samples.js';
import {
  temporaryGroup,
  temporaryRun,
  temporaryRunFolder,
  temporaryStartedRun,
} from '../../../fixtures/temporary-group.js';
import { readRun } from '../../read-run.js';
import type { StartedRun } from '../../run.js';
import { renderRunReport } from './run-page.js';

const sections = (page: string): string[] =>
  [...page.matchAll(/<section id="([a-z]+)"/g)].map((match) => match[1]!);
const headline = (page: string): string =>
  /<h2 class="headline"[^>]*>([^<]*)</.exec(page)![1]!.replaceAll('\u00a0', ' ');
/** What a forgotten case leaves in a page. */
const rubbish = (page: string): string[] =>
  page.replaceAll(/data:[^"]*/g, '').match(/.{0,40}(?:NaN|undefined|Infinity|\[object).{0,40}/g) ?? [];

/** Renders, and checks what every page has to be. */
function render(run: StartedRun, more: Omit<Parameters<typeof renderRunReport>[0], 'run'> = {}): string {
  const page = renderRunReport({ run, ...more });
  expect(rubbish(page)).toEqual([]);
  expect(page.match(/<script|<link|@import|url\(|https?:/g)).toBeNull();
  expect(page).toContain(`default-src 'none'`);
  return page;
}

describe('renderRunReport', () => {
  it('shows everything a finished student has', () => {
    const page = render(temporaryRun({ epochs: 20, testSamples: 1000, classes: 10 }), {
      samples: syntheticSamples(2),
      command: 'npx g2d train config.json',
    });
    expect(sections(page)).toEqual([
      'overview',
      'results',
      'curves',
      'losses',
      'schedule',
      'confusion',
      'classes',
      'calibration',
      'samples',
      'settings',
    ]);
    expect(headline(page)).toBe('The fused answer is right on 84.3 % of the test samples.');
    expect(page).toContain('<title>G2D on Synthetic digits: invented numbers, seed 0</title>');
    expect(page).toContain('<code>npx g2d train config.json</code>');
    expect(page).toContain('Learning rate');
    expect(page).toContain('<dt>versions.tfjs</dt><dd>4.22.0</dd>');
  });

  it('names a selection on the test split', () => {
    const page = render(temporaryRun({ select: 'test-best' }));
    expect(page).toContain('Selected on the test split');
    expect(page).toContain('so the test numbers are too high');
    expect(render(temporaryRun({ select: 'last' }))).toContain('of 6, the last one.');
    expect(render(temporaryRun())).toContain('the best one on the validation split.');
  });

  it('says that a run is not finished and how far it is', () => {
    const page = render(temporaryStartedRun({ epochs: 6, stopAfter: 3 }));
    expect(headline(page)).toMatch(/^Not finished: 3 of 6 epochs\. The fused answer is right on/);
    expect(page).toContain('The numbers are of epoch 3, the last that was evaluated');
    expect(sections(page)).toEqual([
      'overview',
      'results',
      'curves',
      'losses',
      'schedule',
      'calibration',
      'settings',
    ]);
    const nothing = render(temporaryStartedRun({ stopAfter: 0 }));
    expect(headline(nothing)).toBe('Not finished: 0 of 6 epochs. Nothing has been measured yet.');
    expect(sections(nothing)).toEqual(['overview', 'settings']);
  });

  it('shows a teacher with its only head', () => {
    const page = render(temporaryRun({ kind: 'teacher', modalities: ['image'], name: 'teacher-image' }));
    expect(headline(page)).toMatch(/^The image model is right on/);
    expect(page).toContain('<title>Teacher of image on');
    expect(page.match(/<svg class="heat /g)).toHaveLength(1);
    expect(sections(page)).not.toContain('schedule');
  });

  it('puts the heads next to the teachers that can be found', () => {
    const group = temporaryGroup({ epochs: 4, testSamples: 1000 }).folder;
    const folder = join(group, 'g2d');
    for (const modality of ['audio', 'image']) {
      cpSync(join(group, `teacher-${modality}`), join(folder, 'teachers', modality), { recursive: true });
    }
    const page = render(readRun(folder)).replaceAll('\u00a0', ' ');
    expect(page).toContain('<h3>Left behind: audio</h3>');
    expect(page).toContain('The audio head is 20.7 points behind its teacher (58.5 %)');
    expect(page).toContain('audio teacher: ');
    expect(render(temporaryRun())).toContain('no teacher’s results were found');
  });

  it('shows a regression by its error, with predicted against true values', () => {
    const run = temporaryRun({ task: 'regression', modalities: ['image', 'weather', 'soil'] });
    const page = render(run);
    expect(headline(page)).toMatch(
      /^The fused answer is \d+\.\d % off on average on the test split \(MAPE\)\.$/,
    );
    expect(sections(page)).toContain('scatter');
    expect(sections(page)).not.toContain('confusion');
    expect(sections(page)).not.toContain('classes');
    expect(page.match(/<svg class="scatter/g)).toHaveLength(4);
    expect(page).toContain('R²');
  });

  it('does without a validation split, predictions and teachers', () => {
    const { predictions: _, ...run } = temporaryRun({ hasValidation: false });
    const page = render(run);
    expect(page).toContain('of 6, the best one');
    expect(page).not.toContain('>validation</td>');
  });

  it('explains SMP only where a method prioritizes', () => {
    expect(render(temporaryRun({ method: 'g2d' }))).toContain('Who goes first? (Eq. 6)');
    const ogm = render(temporaryRun({ method: 'ogm-ge', epochs: 60 }));
    expect(ogm).not.toContain('Eq. 6');
    expect(ogm).toContain('What the method did');
    expect(ogm).toContain('the height of the filled part');
  });

  it('stays legible and below 1.5 MB with 309 classes and 300 epochs', () => {
    const page = render(temporaryRun({ classes: 309, testSamples: 3090, epochs: 300 }));
    expect(Buffer.byteLength(page)).toBeLessThan(1.5e6);
    expect(page).toContain('The 15 classes with the lowest F1');
    expect(page).toContain('All 309 classes');
    expect(page).toContain('Mistaken most often (fused)');
  });

  it('shows series that a method records under its own names', () => {
    const folder = temporaryRunFolder();
    const run = readRun(folder);
    const metrics = run.metrics.map((epoch) => ({ ...epoch, series: { 'pareto weight': { audio: 0.5 } } }));
    expect(render({ ...run, metrics })).toContain('<b>pareto weight</b>');
  });

  it('shows series and parts of the loss that are called like what every object has', () => {
    const run = temporaryRun({});
    const [first, ...others] = run.metrics;
    const own = { constructor: { length: 0.5 } } as never;
    const loss = { ...first!.loss, constructor: 0.25, other: 0.5 } as never;
    const page = render({ ...run, metrics: [{ ...first!, loss, series: own }, ...others] });
    expect(page).toContain('<b>constructor</b>');
    // One epoch has it: the others have no point, such as the length 1 of what every object has.
    const [panel] = page.slice(page.indexOf('<b>constructor</b>')).split('</figure>');
    expect(/<path class="line[^>]* d="([^"]*)"><title>length</.exec(panel!)?.[1]).toMatch(/^M[\d.,]*Z$/);
    expect(page).not.toContain('function ');
  });

  it('escapes everything that comes from outside', () => {
    const evil = `<img src=x onerror="alert('1')">`;
    const run = temporaryRun({
      name: evil,
      modalities: [evil, 'b'],
      datasetTitle: evil,
      config: { [evil]: evil },
    });
    const page = render(
      {
        ...run,
        folder: evil,
        config: { ...run.config, environment: { device: evil } },
        predictions: { ...run.predictions!, classNames: [evil, evil, evil, evil] },
      },
      { title: evil, command: evil },
    );
    expect(page.includes('<img src=x')).toBe(false);
    expect(page).toContain('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;');
  });
});
