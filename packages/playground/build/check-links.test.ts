import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { brokenLinks } from './check-links.js';

const site = mkdtempSync(join(tmpdir(), 'g2d-links-'));
afterEach(() => rmSync(site, { recursive: true, force: true }));

it('finds links that lead nowhere, and no others', () => {
  mkdirSync(join(site, 'docs'));
  writeFileSync(
    join(site, 'index.html'),
    [
      '<h2 id="here">',
      '<a href="#here">',
      '<a href="#gone">',
      '<a href="./docs/">',
      '<a href="docs/a%20page.html#there">',
      '<a href="docs/a%20page.html#not-there">',
      '<a href="https://example.org/anything">',
      '<script src="./gone.js?v=1&amp;w">',
      '<a href="/docs/">',
      '<a href="../secret.html">',
    ].join('\n'),
  );
  writeFileSync(join(site, 'docs/index.html'), '<a href="../index.html">');
  writeFileSync(join(site, 'docs/a page.html'), '<h2 id="there">');
  expect(brokenLinks(site)).toEqual([
    'index.html: "#gone" leads to a page that has no such place.',
    'index.html: "docs/a%20page.html#not-there" leads to a page that has no such place.',
    'index.html: "./gone.js?v=1&w" leads nowhere.',
    'index.html: "/docs/" does not work where the site lies in a folder.',
    'index.html: "../secret.html" leads out of the site.',
  ]);
});
