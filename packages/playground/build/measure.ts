// A training on the playground in a real browser, as a visitor sees it: npm run bench:playground.
import { cpus } from 'node:os';
import { formatNumber, G2DError } from '@g2d/core';
import { chromium, type Browser } from 'playwright-core';
import { findBrowser } from '../../../test/browser/run-page.js';
import { serveSite } from '../../../test/browser/serve-site.js';
import { main } from '../../../benchmarks/shared/main.js';
import { table } from '../../../benchmarks/shared/table.js';
import { HELP, parseOptions, type Options } from './measure-options.js';

/** What a visitor waits for, in seconds since the click on Start; data, measuring and teachers are included. */
interface Visit {
  readonly firstPoint: number;
  readonly end: number;
  /** The longest task of the page's own thread since then, in milliseconds; 0 where none took 50. */
  readonly longestTask: number;
  /** What the page says it computes with. */
  readonly backend: string;
  /** What it says at the end. */
  readonly result: string;
}

async function visit(browser: Browser, address: string): Promise<Visit> {
  const page = await (await browser.newContext()).newPage();
  await page.addInitScript(() => {
    const tasks: [number, number][] = [];
    Object.assign(globalThis, { tasks });
    new PerformanceObserver((list) =>
      tasks.push(
        ...list.getEntries().map(({ startTime, duration }): [number, number] => [startTime, duration]),
      ),
    ).observe({ type: 'longtask' });
  });
  await page.goto(address);
  // It may load itself once more, for its threads.
  await page.waitForSelector('#method', { timeout: 120_000 });
  await page.waitForFunction(() => crossOriginIsolated, null, { timeout: 120_000 });
  const clicked = await page.evaluate(() => performance.now());
  const started = performance.now();
  await page.click('#start');
  const waited = async (): Promise<number> => (performance.now() - started) / 1000;
  const options = { timeout: 3_600_000, polling: 50 };
  await page.waitForFunction(() => document.querySelector('.curve tbody tr') !== null, null, options);
  const firstPoint = await waited();
  await page.waitForFunction(
    () => ['finished', 'failed'].includes(document.body.dataset['state'] ?? ''),
    null,
    options,
  );
  const end = await waited();
  const tasks = await page.evaluate(() => (globalThis as unknown as { tasks: [number, number][] }).tasks);
  const longestTask = Math.max(0, ...tasks.flatMap(([start, length]) => (start < clicked ? [] : [length])));
  const textOf = async (place: string): Promise<string> => (await page.textContent(place)) ?? '';
  const [backend, result] = [await textOf('#backend'), await textOf('#progress')];
  await page.context().close();
  return { firstPoint, end, longestTask, backend, result };
}

/** @throws {G2DError} With code `G2D_BENCH` if there is no browser. */
async function measure({ rounds, setting, json }: Options): Promise<void> {
  const executablePath = findBrowser();
  if (!executablePath)
    throw new G2DError(
      'G2D_BENCH',
      'There is no browser: install Debian’s chromium, or name one in CHROMIUM.',
    );
  const site = await serveSite();
  const visits: Visit[] = [];
  try {
    for (let round = 1; round <= rounds; round++) {
      const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
      try {
        visits.push(await visit(browser, `${site.address}#${setting}`));
      } finally {
        await browser.close();
      }
      process.stderr.write(`[round ${round} of ${rounds}] ${visits.at(-1)?.result}\n`);
    }
  } finally {
    site.close();
  }
  const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} cores`;
  if (json) {
    process.stdout.write(`${JSON.stringify({ machine, setting, visits })}\n`);
    return;
  }
  const rows = visits.map(({ firstPoint, end, longestTask }, i) => [
    `round ${i + 1}`,
    formatNumber(firstPoint, 1),
    formatNumber(end, 1),
    longestTask ? formatNumber(longestTask, 0) : '< 50',
  ]);
  process.stdout.write(`${machine}; ${setting}\n${visits.at(-1)?.backend}\n\n`);
  process.stdout.write(table([['', 'first point, s', 'end, s', 'longest task, ms'], ...rows]));
}

await main({ name: 'bench:playground', help: HELP, parse: parseOptions, run: measure });
