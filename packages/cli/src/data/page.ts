import { formatDigits } from '@g2d/core';
import type { Shaped } from './channels-first.js';
import { printable, type View } from '@g2d/core';
import { picturesOf } from './views.js';

/** What a page about one sample shows. */
interface SamplePage {
  readonly title: string;
  readonly split: string;
  readonly index: number;
  readonly size: number;
  readonly id: string;
  /** What the label is: class, or target. */
  readonly labelKind: string;
  /** Name of the class, or the target. */
  readonly label: string;
  readonly parts: readonly {
    readonly modality: string;
    readonly missing: boolean;
    /** Channels last. */
    readonly tensor: Shaped;
    readonly view: View;
  }[];
  /** A WAV file. */
  readonly sound?: Buffer;
}

const STYLE = `
:root { color-scheme: light dark; --text: #16191d; --muted: #59626c; --rule: #dde1e5; --ground: #fff; }
@media (prefers-color-scheme: dark) { :root { --text: #e9ecef; --muted: #a4adb6; --rule: #353b42; --ground: #14171a; } }
body { margin: 0 auto; padding: 2rem 1.25rem 3rem; max-width: 64rem; background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { font-size: 1.5rem; margin: 0; } h1 small { color: var(--muted); font-size: 1rem; font-weight: normal; } h2 { font-size: 1.1rem; margin: 2.25rem 0 .25rem; }
.hint { color: var(--muted); font-size: .9rem; margin: 0 0 .75rem; }
.frames { display: flex; flex-wrap: wrap; gap: .75rem; }
img { image-rendering: pixelated; max-width: 100%; border: 1px solid var(--rule); }
audio { display: block; width: 100%; max-width: 32rem; }
table { border-collapse: collapse; } td, th { padding: .2rem 1.5rem .2rem 0; text-align: left; border-top: 1px solid var(--rule); }
td:last-child { text-align: right; padding-right: 0; }
`;

/** A self-contained HTML page. Every text in it may hold any character: it is escaped. */
export function samplePage({
  title,
  split,
  index,
  size,
  id,
  labelKind,
  label,
  parts,
  sound,
}: SamplePage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'">
<title>${escapeText(`${id} – ${title}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<h1><small>${escapeText(labelKind)}</small> ${escapeText(label)}</h1>
<p class="hint">${escapeText(`${title}, ${split}, sample ${index} of ${size}: ${id}`)}</p>
${sound ? `<h2>recording</h2>\n<audio controls src="data:audio/wav;base64,${sound.toString('base64')}"></audio>\n` : ''}${parts.map(part).join('\n')}
</body>
</html>
`;
}

function part({ modality, missing, tensor, view }: SamplePage['parts'][number]): string {
  const legend = LEGENDS[view.kind] === '' ? '' : `; ${LEGENDS[view.kind]}`;
  const heading = `<h2>${escapeText(modality)}</h2>\n<p class="hint">${escapeText(describe(tensor) + legend)}</p>`;
  if (missing) return `<h2>${escapeText(modality)}</h2>\n<p class="hint">missing in this sample</p>`;
  if (view.kind === 'features') return `${heading}\n${table(view.names, tensor.values)}`;
  const pictures = picturesOf(view, tensor).map(({ uri, width, height }, i) => {
    const [across, down] = sizeOnPage(view, width, height);
    return `<img src="${uri}" width="${across}" height="${down}" alt="${escapeText(`${modality}, picture ${i + 1}`)}">`;
  });
  return `${heading}\n<div class="frames">${pictures.join('')}</div>`;
}

/**
 * Small pictures are made larger, by whole factors, so that every number stays a square. A sequence of few steps and many features
 * would be a thin line then: its steps are made wide, and its height is kept within a screen.
 */
function sizeOnPage({ kind }: View, width: number, height: number): readonly [across: number, down: number] {
  if (kind === 'sequence') {
    return [
      width * Math.min(24, Math.max(1, Math.floor(768 / width))),
      Math.min(384, Math.max(1, Math.floor(256 / height)) * height),
    ];
  }
  const zoom = Math.max(1, Math.floor((kind === 'bars' ? 768 : 256) / Math.max(width, height)));
  return [zoom * width, kind === 'bars' ? height : zoom * height];
}

const LEGENDS: Readonly<Record<View['kind'], string>> = {
  pixels: '',
  picture: 'black is the lowest value, white the highest',
  spectrogram: 'time to the right, frequency upwards, bright is loud',
  sequence:
    'steps to the right, features downwards, each feature from its lowest value (black) to its highest (white)',
  features: '',
  bars: 'one bar for each number',
};

function table(names: readonly string[], values: Float32Array): string {
  const rows = Array.from(values, (value, i) => {
    const name = names[i] ?? `feature ${i}`;
    return `<tr><th scope="row">${escapeText(name)}</th><td>${formatDigits(value, 4)}</td></tr>`;
  });
  return `<table>${rows.join('')}</table>`;
}

function describe({ shape, values }: Shaped): string {
  const low = values.reduce((least, value) => Math.min(least, value), Infinity);
  const high = values.reduce((most, value) => Math.max(most, value), -Infinity);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return `[${shape.join(', ')}], from ${formatDigits(low, 4)} to ${formatDigits(high, 4)}, mean ${formatDigits(mean, 4)}`;
}

function escapeText(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
