// What the tools of the repository share with the tables and pages here. It may change with every version.
export { csvText } from './csv-text.js';
export { escapeMarkdown, markdownTable } from './markdown-table.js';
export { flatSettings } from './run-settings.js';
export { foldColumns, oneLine, textTable, wrapped } from './text-table.js';
export { formatGain, formatList, formatSeconds } from './format.js';
export { studentProbability, studentQuantile } from './student-quantile.js';
export { cellsTable, type TableLine } from './report/cells-table.js';
export { markup, type Markup, type Part } from './report/markup.js';
export { renderPage } from './report/page.js';
export { commandBlock } from './report/settings.js';
