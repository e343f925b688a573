import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { syntheticSamples } from '../../../fixtures/synthetic-samples.js';
import { temporaryGroup } from '../../../fixtures/temporary-group.js';
import { tableCells } from '../../format-table.js';
import { readRunGroup } from '../../read-run-group.js';
import { resultsTable } from '../../results-table.js';
import { renderReport } from './group-page.js';

const SECTIONS = ['overview', 'results', 'curves', 'losses', 'schedule', 'confusion', 'samples', 'settings'];
const sections = (page: string): string[] =>
  [...page.matchAll(/<section id="([a-z]+)"/g)].map((match) => match[1]!);

/** What a forgotten case leaves in a page; short, so that a failure can be read. */
const rubbish = (page: string): string[] =>
  page.replaceAll(/data:[^"]*/g, '').match(/.{0,40}(?:NaN|undefined|Infinity|\[object).{0,40}/g) ?? [];

describe('renderReport', () => {
  it('is one page of every section, below 1.5 MB with a dozen samples', () => {
    const group = temporaryGroup({ epochs: 60, evaluateEvery: 1, classes: 10, testSamples: 2000 });
    const page = renderReport({
      title: 'Digits',
      group,
      samples: syntheticSamples(12),
      command: 'npm start',
    });
    expect(sections(page)).toEqual(SECTIONS);
    expect(Buffer.byteLength(page)).toBeLessThan(1.5e6);
    expect(rubbish(page)).toEqual([]);
    expect(page.match(/<audio /g)).toHaveLength(12);
  });

  it('says which epoch the numbers are of', () => {
    const group = temporaryGroup();
    const [first, ...others] = group.runs.map((run) => ({
      ...run,
      summary: { ...run.summary, selectedEpoch: run.config.epochs },
    }));
    const text = (runs: typeof group.runs) => renderReport({ title: 'Digits', group: { ...group, runs } });
    expect(text([first!, ...others])).toContain(', after the last epoch.');
    const early = { ...first!, summary: { ...first!.summary, selectedEpoch: 1 } };
    expect(text([early, ...others])).toContain(
      `: ${first!.config.name} at the epoch that was best on the validation split, the others after their last.`,
    );
    const onTest = [first!, ...others].map((run) => ({
      ...run,
      summary: { ...run.summary, select: 'test-best' as const },
    }));
    expect(text(onTest)).toContain(
      ', at the epoch that was best on the test split itself (test-best), which is too high.',
    );
    expect(text(onTest)).toContain('G2D (selected on test)');
  });

  it('loads nothing and runs nothing', () => {
    const page = renderReport({ title: 'Digits', group: temporaryGroup(), samples: syntheticSamples(1, 4) });
    expect(page.match(/<script|<link|@import|url\(|https?:/g)).toBeNull();
    expect(page).toContain(`default-src 'none'`);
    for (const [, source] of page.matchAll(/ src="([^"]{0,20})/g))
      expect(source).toMatch(/^data:(image|audio)\//);
  });

  it('prints the numbers of the terminal', () => {
    const group = temporaryGroup();
    const page = renderReport({ title: 'Digits', group });
    const table = page.match(/<table class="results">.*?<\/table>/s)?.[0] ?? '';
    const printed = [...table.matchAll(/<t[hd](?: [^>]*)?>([^<]*)</g)].map((match) => match[1]);
    const { header, cells } = tableCells(resultsTable(group));
    expect(printed).toEqual([...header, ...cells.flat()]);
  });

  it('escapes everything that comes from outside', () => {
    const evil = `<img src=x onerror="alert('1')">`;
    const group = temporaryGroup({ modalities: ['audio', evil, '"><script>'] });
    const [sample] = syntheticSamples(1, 4);
    const page = renderReport({
      title: evil,
      introduction: evil,
      command: evil,
      group: {
        ...group,
        incomplete: [evil],
        summary: { ...group.summary, device: evil, seconds: { [evil]: 1 } },
      },
      samples: [
        {
          ...sample!,
          id: evil,
          label: evil,
          parts: sample!.parts.map((part) => ({ ...part, modality: evil })),
        },
      ],
    });
    expect(page.includes('<img src=x')).toBe(false);
    expect(page.includes('<script')).toBe(false);
    expect(page.includes('"><script')).toBe(false);
    expect(page).toContain('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;');
  });

  it('gives each of three modalities its own colour', () => {
    const page = renderReport({
      title: 'Three',
      group: temporaryGroup({ modalities: ['audio', 'image', 'touch'] }),
    });
    expect(page).toContain('Here there are three: audio, image and touch.');
    expect(page).toMatch(/class="track m2"[^>]*><title>G2D, touch head: 52\.0/);
    expect(rubbish(page)).toEqual([]);
  });

  it('leaves out what was not run', () => {
    const { folder } = temporaryGroup({ methods: ['joint'] });
    for (const teacher of ['teacher-audio', 'teacher-image'])
      rmSync(join(folder, teacher), { recursive: true });
    const page = renderReport({ title: 'Joint', group: readRunGroup(folder) });
    expect(sections(page)).toEqual(SECTIONS.filter((id) => id !== 'samples'));
    expect(page).not.toContain('Who trains when');
    expect(rubbish(page)).toEqual([]);
  });

  it('shows a group that has only teachers', () => {
    const page = renderReport({ title: 'Teachers', group: temporaryGroup({ methods: [] }) });
    expect(sections(page)).toEqual(['overview', 'results', 'curves', 'losses', 'schedule', 'settings']);
  });

  it('says which run was left out', () => {
    const { folder } = temporaryGroup();
    rmSync(join(folder, 'smp', 'summary.json'));
    expect(renderReport({ title: 'Stopped', group: readRunGroup(folder) })).toContain(
      'a file of a finished run is missing: smp.',
    );
  });
});
