import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

const { resolve } = createRequire(import.meta.url);

/** The library and its fonts, once in a process. */
let begun: Promise<readonly Uint8Array[]> | undefined;

/** Twice as many pixels as the picture has units: sharp in print and on dense screens. */
const ZOOM = 2;

/**
 * A picture as PNG, at twice its size. The fonts come along: it looks the same on every machine, and nothing is fetched.
 *
 * @param svg Of `figureSvg`.
 */
export async function figurePng(svg: string): Promise<Uint8Array> {
  begun ??= begin();
  const fontBuffers = [...(await begun)];
  const drawing = new Resvg(svg, {
    fitTo: { mode: 'zoom', value: ZOOM },
    font: { fontBuffers, loadSystemFonts: false, defaultFontFamily: 'DejaVu Sans' },
  });
  try {
    const image = drawing.render();
    try {
      return image.asPng();
    } finally {
      image.free();
    }
  } finally {
    drawing.free();
  }
}

async function begin(): Promise<readonly Uint8Array[]> {
  await initWasm(readFile(resolve('@resvg/resvg-wasm/index_bg.wasm')));
  return Promise.all(
    ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'].map((name) =>
      readFile(resolve(`dejavu-fonts-ttf/ttf/${name}`)),
    ),
  );
}
