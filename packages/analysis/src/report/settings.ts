import { formatSeconds } from '../format.js';
import type { Run, RunGroup } from '../run.js';
import { markup, type Markup } from './markup.js';

/** Everything needed to judge and repeat the runs: machine, versions, time, command, configurations. */
export function settingsSection(group: RunGroup, command: string | undefined): Markup {
  const { summary, runs, incomplete } = group;
  const versions: Record<string, string> = {};
  for (const { config } of runs) Object.assign(versions, config.versions);
  const facts: [string, string][] = [
    ['seed', String(summary.seed)],
    ['backend', summary.backend],
    ['TensorFlow', summary.tensorflow ?? 'not used'],
    ['device', summary.device],
    ...Object.entries(versions).map(([name, version]): [string, string] => [name, String(version)]),
  ];
  return markup`${command !== undefined && markup`<p>To repeat it:</p><pre class="command"><code>${command}</code></pre>`}
<div class="explained"><div><h3>Machine and versions</h3><dl class="facts">${facts.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></div>
<div><h3>Time</h3>${timeTable(summary.seconds)}</div></div>
${incomplete.length > 0 && markup`<p>Left out, because a file of a finished run is missing: ${incomplete.join(', ')}.</p>`}
${runs.length > 0 && markup`<h3>Configurations</h3>${configurations(runs)}`}`;
}

function timeTable(seconds: Readonly<Record<string, number>>): Markup {
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

/** Shown elsewhere, or the same as the column's name. */
const HIDDEN = new Set(['name', 'versions']);

function configurations(runs: readonly Run[]): Markup {
  const configs = runs.map(({ config }) => Object.entries(config));
  const keys = [...new Set(configs.flatMap((entries) => entries.map(([key]) => key)))].filter(
    (key) => !HIDDEN.has(key),
  );
  const valueOf = (index: number, key: string): string =>
    text(configs[index]?.find(([name]) => name === key)?.[1]);
  const rows = keys.map((key) => ({ key, values: runs.map((_, index) => valueOf(index, key)) }));
  const isCommon = (values: readonly string[]): boolean => values.every((value) => value === values[0]);
  const common = rows.filter(({ values }) => isCommon(values));
  const different = rows.filter(({ values }) => !isCommon(values));
  return markup`<div class="scroll"><table class="config"><thead><tr><th scope="col">setting</th>${runs.map((run) => markup`<th scope="col">${run.name}</th>`)}</tr></thead><tbody>
${different.map(({ key, values }) => markup`<tr><th scope="row">${key}</th>${values.map((value) => markup`<td>${value}</td>`)}</tr>`)}
</tbody></table></div>
${common.length > 0 && markup`<p class="hint">The same in every run: ${common.map(({ key, values }, index) => markup`${index > 0 && ', '}<code>${key}</code> ${values[0]}`)}.</p>`}`;
}

function text(value: unknown): string {
  if (value === undefined || value === null) return '–';
  if (Array.isArray(value)) return value.map(text).join(', ');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
