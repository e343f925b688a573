// Looks for links of the built site that lead nowhere: `npm run site` ends with it. Pages of other places are not asked.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const LINK = /\s(?:href|src)="([^"]*)"/g;
const ID = /\s(?:id|name)="([^"]*)"/g;

/** Every link of a folder of pages that leads nowhere, as a sentence. */
export function brokenLinks(site: string): readonly string[] {
  const pages = readdirSync(site, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.html'),
  );
  const places = new Map<string, ReadonlySet<string>>();
  const placesOf = (file: string): ReadonlySet<string> => {
    const known = places.get(file);
    if (known) return known;
    const found = new Set(Array.from(readFileSync(file, 'utf8').matchAll(ID), ([, id]) => id as string));
    places.set(file, found);
    return found;
  };
  return pages.flatMap((page) => {
    const file = join(site, page);
    const links = Array.from(readFileSync(file, 'utf8').matchAll(LINK), ([, link]) =>
      unescaped(link as string),
    );
    return [...new Set(links)].flatMap((link) => {
      const problem = problemOf(link, { file, site, placesOf });
      return problem === undefined ? [] : [`${page}: "${link}" ${problem}.`];
    });
  });
}

function problemOf(
  link: string,
  { file, site, placesOf }: { file: string; site: string; placesOf: (file: string) => ReadonlySet<string> },
): string | undefined {
  if (/^[a-z]+:/i.test(link)) return undefined;
  if (link.startsWith('/')) return 'does not work where the site lies in a folder';
  const [path = '', place = ''] = link.split('#');
  const target = path === '' ? file : resolve(dirname(file), decodeURIComponent(path.replace(/\?.*/, '')));
  if (relative(site, target).startsWith('..')) return 'leads out of the site';
  const found = existsSync(target) && statSync(target).isDirectory() ? join(target, 'index.html') : target;
  if (!existsSync(found)) return 'leads nowhere';
  if (place !== '' && found.endsWith('.html') && !placesOf(found).has(decodeURIComponent(place)))
    return 'leads to a page that has no such place';
  return undefined;
}

const unescaped = (text: string): string => text.replaceAll('&amp;', '&').replaceAll('&quot;', '"');
