import { NativeError } from './errors.js';
import type { Http } from './http.js';
import type { IndexSettings } from './index-settings.js';
import { platformTags } from './pip-download.js';
import { describeTarget, type Target } from './wheels.js';

/** A wheel as an index offers it. */
export interface OfferedWheel {
  readonly filename: string;
  readonly url: URL;
  /** Hex; null where the index gives none. */
  readonly sha256: string | null;
  readonly bytes: number | null;
}

/** Which wheel is wanted. */
export interface WheelRequest extends Target {
  readonly name: string;
  readonly version: string;
  /** Expected hash; null: whatever the index says. */
  readonly sha256: string | null;
}

// As pip is asked: the Python version only chooses among wheels with the same library inside.
const pythons = ['cp311-cp311', 'cp313-cp313'];

const json = 'application/vnd.pypi.simple.v1+json';

/**
 * The wheel that an index has of a distribution: the one with the expected hash, else the first for this processor.
 *
 * @throws {NativeError} `G2D_NATIVE_NO_SUCH_WHEEL`, `G2D_NATIVE_WRONG_HASH`, `G2D_NATIVE_NO_NETWORK`; `G2D_NATIVE_BAD_INDEX` for an answer that is
 *   neither the index interface's JSON nor its HTML.
 */
export async function findWheel(
  http: Http,
  settings: IndexSettings,
  request: WheelRequest,
): Promise<OfferedWheel> {
  const page = new URL(`${request.name}/`, settings.address);
  const { text, type, url } = await http.persist(
    () => 0,
    async () => {
      const response = await http.get(page, { accept: `${json}, text/html;q=0.2` });
      const type = response.headers.get('content-type') ?? '';
      return { text: await response.text(), type, url: new URL(response.url || page) };
    },
  );
  const offered = /json/.test(type) ? readJson(text, url, settings) : readHtml(text, url, settings);
  const wanted = request.sha256 && offered.find(({ sha256 }) => sha256 === request.sha256);
  if (wanted) return wanted;
  const prefix = `${request.name.replaceAll('-', '_')}-${request.version}-`;
  const fitting = platformTags(request).flatMap((platform) =>
    [...pythons, 'py3-none'].flatMap((python) =>
      offered.filter(
        ({ filename }) =>
          filename.startsWith(`${prefix}${python}-`) && filename.slice(0, -'.whl'.length).includes(platform),
      ),
    ),
  );
  const [first] = fitting;
  if (!first) {
    throw new NativeError(
      'G2D_NATIVE_NO_SUCH_WHEEL',
      `The package index that ${settings.from} names has no wheel of ${request.name} ${request.version} for ${describeTarget(request)}. Check the ` +
        'version; leaving out --version takes the tested one. A private index may be missing it.',
      { wheel: `${request.name} ${request.version}`, offered: offered.length },
    );
  }
  if (request.sha256 && first.sha256 && first.sha256 !== request.sha256) {
    throw new NativeError(
      'G2D_NATIVE_WRONG_HASH',
      `The package index that ${settings.from} names offers another ${first.filename} than the tested one: its SHA-256 should be ${request.sha256}, but ` +
        `the index says ${first.sha256}. Nothing was downloaded. Take another index, or give the wheel with --wheel FILE.`,
      { expected: request.sha256, actual: first.sha256 },
    );
  }
  return first;
}

/** The index interface's JSON (PEP 691). */
function readJson(text: string, base: URL, settings: IndexSettings): OfferedWheel[] {
  let files: unknown;
  try {
    ({ files } = JSON.parse(text) as { files?: unknown });
  } catch (error) {
    throw badIndex(settings, 'JSON that cannot be read', error);
  }
  if (!Array.isArray(files)) throw badIndex(settings, 'JSON without a list of files');
  return files.flatMap((file: Record<string, unknown> | null) => {
    const { filename, url, hashes, size } = file ?? {};
    if (typeof filename !== 'string' || typeof url !== 'string' || !filename.endsWith('.whl')) return [];
    if (!URL.canParse(url, base.href)) throw badIndex(settings, `an address of ${filename} that is none`);
    const sha256 = (hashes as { sha256?: unknown } | undefined)?.sha256;
    return {
      filename,
      url: new URL(url, base),
      sha256: typeof sha256 === 'string' ? sha256.toLowerCase() : null,
      bytes: typeof size === 'number' ? size : null,
    };
  });
}

/** The older form of the interface, a page with one link for each file (PEP 503): mirrors that have no JSON. */
function readHtml(text: string, base: URL, settings: IndexSettings): OfferedWheel[] {
  const links = [...text.matchAll(/<a\s[^>]*?href=(?:"([^"]*)"|'([^']*)')[^>]*>\s*([^<]*?)\s*<\/a>/gi)];
  if (links.length === 0) throw badIndex(settings, 'neither JSON nor a page with links');
  return links.flatMap(([, double, single, filename]) => {
    const href = (double ?? single ?? '').replaceAll('&amp;', '&');
    if (!filename!.endsWith('.whl') || !URL.canParse(href, base.href)) return [];
    const url = new URL(href, base);
    const sha256 = /^#sha256=([0-9a-f]{64})$/i.exec(url.hash)?.[1]?.toLowerCase() ?? null;
    url.hash = '';
    return { filename: filename!, url, sha256, bytes: null };
  });
}

function badIndex(settings: IndexSettings, what: string, cause?: unknown): NativeError {
  return new NativeError(
    'G2D_NATIVE_BAD_INDEX',
    `${settings.from} should name a Python package index, but what answers there sent ${what}. Check the address, which should end in /simple, and whether ` +
      'a proxy or a login page answers in its place.',
    { from: settings.from },
    { cause },
  );
}
