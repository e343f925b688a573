// For typedoc: every entry point under the name by which it is imported, on the page of a package its README, and the guides
// of docs/ as pages. Links between them stay links; one that leads to a file outside of the pages becomes its text.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { Converter, DocumentReflection, JSX, MinimalSourceFile, normalizePath } from 'typedoc';

/** Every entry point of every published package, as its package.json says. */
export const entryPoints = readdirSync('packages').flatMap((folder) => {
  const manifest = JSON.parse(readFileSync(`packages/${folder}/package.json`, 'utf8'));
  if (manifest.private) return [];
  return Object.entries(manifest.exports ?? {}).flatMap(([path, { '@g2d/source': sources }]) => {
    // A package may have another file for browsers.
    const source = sources?.default ?? sources;
    // What only our own packages use has no page.
    return source === undefined || ['./internal', './tensorflow'].includes(path)
      ? []
      : [
          {
            source: resolve('packages', folder, source),
            name: manifest.name + path.slice(1),
            // The page of the package itself has its README, which other pages name by the file or by the folder.
            ...(path === '.' && { readme: resolve('packages', folder, 'README.md') }),
          },
        ];
  });
});

const guides = readdirSync('docs')
  .filter((file) => file.endsWith('.md'))
  .map((file) => resolve('docs', file));
const readmes = entryPoints.flatMap(({ readme }) => readme ?? []);
const pages = new Set([...guides, ...readmes, ...readmes.map((file) => dirname(file))]);

/** `[text](path)`, but not a picture, an address or a place on the same page. */
const LINK = /(?<!!)\[([^\]]*)\]\((?![a-z]+:|#)([^)#]*)(#[^)]*)?\)/g;

/** A file's title, its first line, and its text below. */
function read(file) {
  const [, title, text] = /^# (.*)\n([^]*)$/.exec(readFileSync(file, 'utf8'));
  return { title, text };
}

/** @param {import('typedoc').Application} app */
export function load(app) {
  // As a part of the site (`npm run site`) every page leads to the start page.
  app.renderer.hooks.on('sidebar.begin', ({ relativeURL }) =>
    /[\\/]site[\\/]docs$/.test(app.options.getValue('out'))
      ? JSX.createElement(
          'p',
          null,
          JSX.createElement('a', { href: relativeURL('../index.html') }, 'Playground'),
        )
      : JSX.createElement(JSX.Fragment, null),
  );
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
    const content = (file, text) => {
      const linked = text.replace(LINK, (link, words, path) =>
        pages.has(resolve(dirname(file), path)) ? link : words,
      );
      const source = new MinimalSourceFile(linked, normalizePath(file));
      return app.converter.parseRawComment(source, project.files).content;
    };
    const main = resolve('README.md');
    project.readme = content(main, read(main).text);
    for (const module of project.children) {
      const { name, readme } = entryPoints.find(({ source }) => source === module.sources[0].fullFileName);
      module.name = name;
      if (readme === undefined) continue;
      module.readme = content(readme, read(readme).text);
      for (const path of [readme, dirname(readme)]) {
        project.files.registerReflectionPath(normalizePath(path), module);
      }
    }
    for (const file of guides) {
      const { title, text } = read(file);
      // Unlike a module's, the page of a document has no title of its own.
      const guide = new DocumentReflection(title, project, content(file, `# ${title}\n${text}`), {});
      project.addChild(guide);
      project.registerReflection(guide, undefined, normalizePath(file));
    }
  });
}
