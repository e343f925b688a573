// Fills the places of index.html: the README's first screen, the links of the site, and where the data come from.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import MarkdownIt from 'markdown-it';
import type { Plugin } from 'vite';
import { DATA, REPOSITORY } from './pack-data.js';
import { NAVIGATION, siteAddress } from './site-map.js';

const markdown = new MarkdownIt({ html: false, typographer: false });

/** The README's title and what stands before its first command. */
function firstScreen(): string {
  const readme = readFileSync(join(REPOSITORY, 'README.md'), 'utf8');
  const end = readme.indexOf('See it on real data in two commands');
  if (end < 0)
    throw new Error(
      'README.md no longer says "See it on real data in two commands": build/introduction.ts cuts its first screen there.',
    );
  return linked(markdown.render(readme.slice(0, end).trim()));
}

/** Links within the repository as links of the site. */
const linked = (html: string): string =>
  html.replace(/href="(?![a-z]+:|#)([^"]*)"/g, (_, path: string) => `href="${siteAddress(path)}"`);

function dataNote(): string {
  const weights = readFileSync(join(DATA, 'teachers/small-av-mnist.safetensors'));
  const hash = createHash('sha256').update(weights).digest('hex');
  return markdown.render(`
**Data.** Pictures: MNIST, Y. LeCun and C. Cortes, CC BY-SA 3.0. Voices: Free Spoken Digit Dataset, Z. Jackson and others, CC BY-SA 4.0. Noise: CC0 clips
of ESC-10, compiled by K. J. Piczak, CC BY 3.0. What this page makes of them, and the weights of its teachers, are CC BY-SA 4.0: whoever passes them on gives the same
rights. They are part of no npm package. The code is under the MIT licence.

**Teachers.** \`data/teachers/small-av-mnist.safetensors\` of the repository, made by \`npm run playground:teachers\`; SHA-256 \`${hash}\`.
`);
}

export function introduction(): Plugin {
  return {
    name: 'g2d-introduction',
    transformIndexHtml: (html) =>
      html
        .replace(
          '<!-- navigation -->',
          NAVIGATION.map(({ label, address }) => `<a href="${address}">${label}</a>`).join('\n'),
        )
        .replace('<!-- introduction -->', firstScreen())
        .replace('<!-- data -->', dataNote()),
  };
}
