import { preset } from '../../tsup.base.js';

// d3 is published as ES modules only, which `require` cannot load on Node 20 before 20.19: it becomes part of the
// build, and its licence with it.
const d3Licence = `/*! Contains parts of d3-array, d3-color, d3-format, d3-interpolate, d3-path, d3-scale, d3-shape, d3-time,
d3-time-format and internmap. Copyright 2010-2026 Mike Bostock

Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby
granted, provided that the above copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL
IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR ANY SPECIAL, DIRECT,
INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN
AN ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR
PERFORMANCE OF THIS SOFTWARE. */`;

export default preset({
  entry: { index: 'src/index.ts', internal: 'src/internal.ts' },
  noExternal: [/^d3-/, 'internmap'],
  banner: { js: d3Licence },
});
