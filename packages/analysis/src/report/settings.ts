import { formatSeconds } from '../format.js';
import type { RunGroup } from '../run.js';
import { flatSettings } from '../run-settings.js';
import { cellsTable } from './cells-table.js';
import { markup, type Markup } from './markup.js';

/** Everything needed to judge and repeat the runs: machine, versions, time, command, configurations. */
export function settingsSection(group: RunGroup, command: string | undefined): Markup {
  const { summary, runs, incomplete } = group;
  const versions: Record<string, string> = {};
  for (const { config } of runs) Object.assign(versions, config.environment?.versions ?? config['versions']);
  const facts: [string, string][] = [
    ['seed', String(summary.seed)],
    ['backend', summary.backend],
    ['TensorFlow', summary.tensorflow ?? 'not used'],
    ['device', summary.device],
    ...Object.entries(versions).map(([name, version]): [string, string] => [name, String(version)]),
  ];
  return markup`${commandBlock(command)}
<div class="explained"><div><h3>Machine and versions</h3>${factsList(facts)}</div>
<div><h3>Time</h3>${timeTable(summary.seconds)}</div></div>
${incomplete.length > 0 && markup`<p>Left out, because a file of a finished run is missing: ${incomplete.join(', ')}.</p>`}
${runs.length > 0 && markup`<h3>Configurations</h3>${configurations(runs)}`}`;
}

/** Seconds by stage, with bars. */
export function timeTable(seconds: Readonly<Record<string, number>>): Markup {
  const entries = Object.entries(seconds);
  // A stage called total is the sum already.
  const parts = entries.filter(([stage]) => stage !== 'total');
  const total = seconds['total'] ?? parts.reduce((sum, [, value]) => sum + value, 0);
  const longest = Math.max(...parts.map(([, value]) => value), 1e-9);
  return markup`<table class="time"><tbody>${parts.map(
    ([stage, value]) =>
      markup`<tr><th scope="row">${stage}</th><td class="number">${formatSeconds(value)}</td><td class="wide"><svg width="100%" height="10" aria-hidden="true"><rect class="fill muted" width="${Math.round((1000 * value) / longest) / 10}%" height="10"/></svg></td></tr>`,
  )}<tr class="total"><th scope="row">in all</th><td class="number">${formatSeconds(total)}</td><td></td></tr></tbody></table>`;
}

/** A column of the table of settings. */
interface SettingsColumn {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Shown elsewhere, or the same as the column's name. */
const HIDDEN = ['name', 'version', 'versions', 'environment', 'components', 'identity', 'changes'];

/** Settings that differ as a table with a column per run, and below it those that are the same everywhere. */
export function configurations(columns: readonly SettingsColumn[]): Markup {
  const configs = columns.map(({ config }) => {
    const shown = Object.entries(config).filter(([key]) => !HIDDEN.includes(key));
    return flatSettings(Object.fromEntries(shown));
  });
  const keys = [...new Set(configs.flatMap((config) => [...config.keys()]))];
  const rows = keys.map((key) => ({ key, values: configs.map((config) => config.get(key) ?? '–') }));
  const isCommon = (values: readonly string[]): boolean => values.every((value) => value === values[0]);
  const common = rows.filter(({ values }) => isCommon(values));
  const different = rows.filter(({ values }) => !isCommon(values));
  const header = ['setting', ...columns.map(({ name }) => name)];
  const lines = different.map(({ key, values }) => ({ cells: [key, ...values] }));
  return markup`${different.length > 0 && cellsTable('config', header, lines)}
${common.length > 0 && markup`<p class="hint">${columns.length > 1 && 'The same everywhere: '}${common.map(({ key, values }, index) => markup`${index > 0 && ', '}<code>${key}</code> ${values[0]}`)}.</p>`}`;
}

/** Name and value pairs as a list. */
export function factsList(facts: readonly (readonly [name: string, value: string])[]): Markup {
  return markup`<dl class="facts">${facts.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** The command that makes something again. */
export function commandBlock(command: string | undefined): Markup | undefined {
  if (command === undefined) return undefined;
  return markup`<p>To repeat it:</p><pre class="command"><code>${command}</code></pre>`;
}
