// The end of `npm run site`.
import { resolve } from 'node:path';
import { brokenLinks } from './check-links.js';
import { REPOSITORY } from './pack-data.js';

const site = resolve(REPOSITORY, 'site');
const broken = brokenLinks(site);
for (const line of broken) console.error(line);
console.log(
  broken.length === 0 ? `${site}: every link leads somewhere.` : `${broken.length} links lead nowhere.`,
);
process.exitCode = broken.length === 0 ? 0 : 1;
