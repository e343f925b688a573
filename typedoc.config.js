// The API pages, `npm run docs`: into docs/api.
import { OptionDefaults } from 'typedoc';
import { entryPoints, load } from './scripts/typedoc-pages.js';

/** What somebody looks for first; types follow from it. */
const kinds = ['Function', 'Class', 'Variable', 'Interface', 'TypeAlias'];

/** @type {Partial<import('typedoc').TypeDocOptions>} */
export default {
  name: 'G2D',
  plugin: [load],
  entryPoints: entryPoints.map(({ source }) => source),
  tsconfig: 'tsconfig.json',
  // The plugin sets it.
  readme: 'none',
  out: 'docs/api',
  customCss: 'scripts/typedoc.css',
  highlightLanguages: [...OptionDefaults.highlightLanguages, 'bibtex'],
  navigation: { includeFolders: false },
  // Of classes; it leads to places that it does not have.
  includeHierarchySummary: false,
  kindSortOrder: kinds,
  groupOrder: ['Documents', 'Functions', 'Classes', 'Variables', '*'],
  // A link to what is not there is an error, and so is something public that nobody explains.
  validation: { notDocumented: true },
  packagesRequiringDocumentation: entryPoints.map(({ name }) => name),
  requiredToBeDocumented: kinds,
  treatWarningsAsErrors: true,
};
