// What Vite needs of ours: the catalog as a module, the files of data beside the page, and the page's rules.
import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';
import { catalog } from './catalog.js';
import { DATA, PACKED, packData } from './pack-data.js';

const MODULE = '@g2d/playground/catalog';

export function catalogModule(): Plugin {
  return {
    name: 'g2d-catalog',
    resolveId: (id) => (id === MODULE ? `\0${MODULE}` : undefined),
    load: (id) => (id === `\0${MODULE}` ? `export default ${JSON.stringify(catalog)};` : undefined),
  };
}

/** Makes the files that the page loads, where they are not there yet. */
export function dataFiles(): Plugin {
  return {
    name: 'g2d-data-files',
    // Before Vite looks at what lies in `public`.
    async config() {
      await packData(DATA, PACKED);
      mkdirSync(PACKED, { recursive: true });
      copyFileSync(join(DATA, 'teachers/small-av-mnist.safetensors'), join(PACKED, 'teachers.safetensors'));
    },
  };
}

/** Nothing from elsewhere, nothing inline; WebAssembly may be compiled. Threads of WebAssembly are started from blobs. */
const RULES = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
];

/** Puts the rules into the built page; a server that is used to change it writes styles into it. */
export function contentSecurityPolicy(): Plugin {
  return {
    name: 'g2d-content-security-policy',
    apply: 'build',
    transformIndexHtml: () => [
      {
        tag: 'meta',
        attrs: { 'http-equiv': 'Content-Security-Policy', content: RULES.join('; ') },
        injectTo: 'head-prepend',
      },
    ],
  };
}
