// The built page in a real browser, as on a static host: in a folder, and without the headers of isolation. What somebody does with it, by keyboard too.
import axe from 'axe-core';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { findBrowser } from '../../../test/browser/run-page.js';
import { serveSite } from '../../../test/browser/serve-site.js';

const path = findBrowser();
const missing = 'no browser: install Debian’s chromium, or name one in CHROMIUM';
if (!path) console.warn(missing);

let site: Awaited<ReturnType<typeof serveSite>> | undefined;
let address: string;
let browser: Browser;

beforeAll(async () => {
  if (!path) return;
  site = await serveSite();
  ({ address } = site);
  browser = await chromium.launch({ executablePath: path, args: ['--no-sandbox'] });
}, 300_000);
afterAll(async () => {
  await browser?.close();
  site?.close();
});

/** A page, and what went wrong on it, and what it asked other places for. */
async function open(
  hash: string,
  { browser: own = browser, ...options }: BrowserContextOptions & { browser?: Browser } = {},
) {
  const context = await own.newContext(options);
  const page = await context.newPage();
  const wrong: string[] = [];
  page.on('pageerror', ({ message }) => wrong.push(message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) wrong.push(message.text());
  });
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(address) && !url.startsWith('blob:')) wrong.push(`asked for ${url}`);
  });
  await page.goto(address + hash);
  // It may load itself once more.
  await page.waitForSelector('#method', { timeout: 120_000 });
  return { page, wrong };
}

const ended = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => ['finished', 'failed'].includes(document.body.dataset['state'] ?? ''), null, {
    timeout: 600_000,
  });

/** Rules of WCAG that the page breaks. */
async function broken(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<axe.AxeResults> } }).axe.run(),
  );
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`,
  );
}

/** The parts of the playground in the order in which Tab comes to them; it throws where that one goes up, or left in the same row. */
async function waysOfFocus(page: Page): Promise<string[]> {
  const parts = await page.evaluate(() => {
    const names = ['bar', 'settings', 'middle', 'right'];
    const all =
      '#playground a[href], #playground button, #playground input, #playground select, #playground [tabindex="0"]';
    const found = [...document.querySelectorAll(all)].flatMap((one) => {
      const part = one.closest('.bar, .columns > *');
      const name = names.find((name) => part?.classList.contains(name));
      return part && name ? [{ part, name }] : [];
    });
    return found
      .filter(({ part }, i) => part !== found[i - 1]?.part)
      .map(({ part, name }) => ({
        name,
        left: part.getBoundingClientRect().left,
        top: part.getBoundingClientRect().top,
      }));
  });
  parts.forEach(({ name, left, top }, i) => {
    const before = parts[i - 1];
    if (before && (top < before.top - 1 || (top < before.top + 1 && left < before.left)))
      throw new Error(`Tab goes from ${before.name} back to ${name}.`);
  });
  return parts.map(({ name }) => name);
}

// Only a user's machine may lack one.
it('has a browser to run in where CI runs', () => {
  expect(path !== undefined || !process.env['CI'], missing).toBe(true);
});

describe.skipIf(!path)('the playground', () => {
  it('trains by keyboard alone, shows numbers, and opens the pairs behind one', async () => {
    const { page, wrong } = await open('#epochs=4&backend=wasm&smp.phaseEpochs=2');
    expect(await page.evaluate(() => crossOriginIsolated)).toBe(true);
    await page.focus('#start');
    await page.keyboard.press('Enter');
    await ended(page);
    expect(await page.textContent('#progress')).toMatch(
      /^G2D: [\d.]+ % of all 2,000 test pairs \(sound [\d.]+ %, picture [\d.]+ %\), \d+ s\. Joint training: [\d.]+ % of all/,
    );
    expect(await page.textContent('#backend')).toMatch(
      /^Computed by WebAssembly \(\d+ threads?\)\. Measured: /,
    );
    for (const curve of await page.locator('.curve').all()) {
      expect(await curve.locator('tbody tr').count()).toBe(4);
      expect(await curve.locator('.chart').getAttribute('aria-label')).toMatch(
        /right answers after epoch 4: both \d/,
      );
    }
    expect(
      await page
        .locator('.strip.audio .done')
        .evaluateAll((cells) => cells.map((cell) => (cell as HTMLElement).style.opacity)),
    ).toEqual(['0.08', '0.08', '1', '1']);
    expect(await page.locator('#findings li').count()).toBe(3);
    // Every pair of the table once.
    const counts = await page.locator('.confusion button').allTextContents();
    expect(counts.reduce((sum, text) => sum + Number(text), 0)).toBe(500);
    await page.locator('.confusion button[tabindex="0"]').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    const opened = await page.locator('.confusion button[aria-pressed="true"]').getAttribute('aria-label');
    const [, label, answer, count] = /^(\d) answered as (\d): (\d+) pairs$/.exec(opened!)!;
    await page.waitForFunction(
      (expected) => document.querySelectorAll('.cards li').length === expected,
      Math.min(6, Number(count)),
    );
    expect(await page.textContent('#samples .help')).toContain(
      count === '0'
        ? `No pair of a ${label} is answered ${answer}`
        : `of a ${label}, answered ${answer} by both`,
    );
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it('is accessible and fits, on a phone and on a wide screen, light and dark', async () => {
    const { page } = await open('#epochs=4&backend=wasm&beside=nothing&method=joint');
    await page.click('#start');
    await ended(page);
    for (const colorScheme of ['light', 'dark'] as const) {
      for (const width of [360, 1400]) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
        expect(await broken(page), `${colorScheme}, ${width}`).toEqual([]);
        expect(await waysOfFocus(page), `${width}`).toEqual(
          width === 360 ? ['bar', 'middle', 'right', 'settings'] : ['bar', 'settings', 'middle', 'right'],
        );
      }
    }
    await page.context().close();
  });

  it('pauses, goes on by an epoch, and begins again with other settings, which the address has', async () => {
    const { page } = await open('#epochs=5&backend=wasm&beside=nothing');
    await page.click('#one-epoch');
    await page.waitForFunction(() => document.querySelectorAll('.curve tbody tr').length === 1, null, {
      timeout: 300_000,
    });
    expect(await page.textContent('#start')).toBe('Go on');
    await page.fill('#seed', '7');
    await page.keyboard.press('Tab');
    expect(new URL(page.url()).hash).toBe('#epochs=5&seed=7&backend=wasm&beside=nothing');
    expect(await page.locator('.curve tbody tr').count()).toBe(0);
    await page.fill('#seed', '-1');
    await page.keyboard.press('Tab');
    expect(await page.textContent('[id="seed-problem"]')).toBe(
      'Seed must be a whole number from 0 to 2147483647; 7 stays.',
    );
    expect(new URL(page.url()).hash).toContain('seed=7');
    await page.context().close();
  });

  it('says what of an address makes no sense, and goes on', async () => {
    const { page, wrong } = await open('#method=g3d&epochs=-1&what=ever');
    expect(await page.locator('#notes .note').count()).toBe(3);
    expect(await page.inputValue('#method')).toBe('g2d');
    expect(await page.inputValue('#epochs')).toBe('60');
    expect(wrong).toEqual([]);
    await page.context().close();
  });

  it('goes on with one thread where it cannot be isolated', async () => {
    const { page } = await open('#epochs=4&method=joint&backend=wasm', { serviceWorkers: 'block' });
    expect(await page.textContent('#notes')).toMatch(/^WebAssembly runs on one thread here: /);
    await page.click('#start');
    await ended(page);
    expect(await page.textContent('#backend')).toMatch(
      /^Computed by WebAssembly \(1 thread\)\. Measured: WebAssembly \(1 thread\) \d+ ms a step\.$/,
    );
    expect(await page.textContent('#progress')).toMatch(/^Joint training: /);
    await page.context().close();
  });

  // V8 has vectors where the processor has SSE 4.1; on others there is no such switch.
  it.skipIf(process.arch !== 'x64')('goes on in a browser without SIMD, and says so', async () => {
    const args = ['--no-sandbox', '--js-flags=--no-enable-sse4-1'];
    const old = await chromium.launch({ executablePath: path!, args });
    try {
      const { page, wrong } = await open('#epochs=4&method=joint&backend=wasm', { browser: old });
      await page.click('#start');
      await page.waitForFunction(() => document.querySelectorAll('.curve tbody tr').length > 0, null, {
        timeout: 600_000,
      });
      expect(await page.textContent('#notes')).toMatch(
        /^WebAssembly has no SIMD in this browser, so that it runs on one thread and steps take several times as long: use a current browser\./,
      );
      expect(await page.textContent('#backend')).toMatch(
        /^Computed by WebAssembly \(1 thread, no SIMD: slow\)\. Measured: /,
      );
      expect(wrong).toEqual([]);
    } finally {
      await old.close();
    }
  });

  it('goes on with another backend where the graphics are taken away', async () => {
    const { page } = await open('#epochs=4&method=joint&backend=webgl');
    // The first is the training's; threads of WebAssembly come later.
    const [worker] = await Promise.all([page.waitForEvent('worker'), page.click('#start')]);
    // Every context of the worker is known from now on.
    await worker.evaluate(() => {
      const { prototype } = OffscreenCanvas;
      const original = prototype.getContext as (...args: unknown[]) => unknown;
      const contexts: unknown[] = ((globalThis as Record<string, unknown>)['contexts'] = []);
      prototype.getContext = function (this: OffscreenCanvas, ...args: unknown[]) {
        const context = original.apply(this, args);
        contexts.push(context);
        return context as never;
      } as typeof prototype.getContext;
    });
    // An epoch would take minutes where a program draws.
    await page.waitForFunction(
      () => /step \d/.test(document.querySelector('#progress')?.textContent ?? ''),
      null,
      { timeout: 600_000 },
    );
    await worker.evaluate(() => {
      const { contexts } = globalThis as unknown as { contexts: (WebGL2RenderingContext | null)[] };
      for (const context of contexts) context?.getExtension('WEBGL_lose_context')?.loseContext();
    });
    await ended(page);
    expect(await page.textContent('#notes')).toMatch(
      /The browser took WebGL away; the training goes on with what is left, from (its beginning|the end of epoch \d)\./,
    );
    expect(await page.textContent('#backend')).toMatch(/^Computed by WebAssembly/);
    expect(await page.locator('.curve tbody tr').count()).toBe(4);
    await page.context().close();
  });
});
