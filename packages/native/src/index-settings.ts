import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parse as parseIni } from 'ini';
import { parse as parseToml } from 'smol-toml';
import { NativeError } from './errors.js';

/** Where the Python package index is, and how it is reached: as pip and uv are told. */
export interface IndexSettings {
  /** The address of the index's root, without a name and password: `https://…/simple/`. */
  readonly address: URL;
  /** `Basic …`, where the address carries a name and a password. */
  readonly authorization: string | null;
  /** What named it, for messages: `PIP_INDEX_URL`, or a file. Never the address, which may hold a password. */
  readonly from: string;
  readonly proxy: ProxySettings;
  /** Certificates to trust, PEM; null: those of Node. */
  readonly certificates: string | null;
}

/** Addresses of proxies; undefined: none. */
export interface ProxySettings {
  readonly http: string | undefined;
  readonly https: string | undefined;
  /** Hosts that are reached without one. */
  readonly none: string | undefined;
}

/** Where settings are looked for. Tests hand in their own. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Folders and files outside of the home: pip's and uv's for all users. */
  readonly system?: { readonly pip: readonly string[]; readonly uv: readonly string[] };
}

const system = { pip: ['/etc/xdg/pip/pip.conf', '/etc/pip.conf'], uv: ['/etc/uv/uv.toml'] };

/** What to set where no index is named. */
export const howToNameIndex =
  'set PIP_INDEX_URL or G2D_INDEX to the address of a Python package index (its "simple" page), or UV_DEFAULT_INDEX';

/**
 * The package index that this user's Python tools take: `G2D_INDEX`, `PIP_INDEX_URL`, `UV_DEFAULT_INDEX`, `UV_INDEX_URL`, then pip's configuration
 * files, then uv's. Null where none is named: the tools have an index of their own then, which this package does not know.
 *
 * @throws {NativeError} `G2D_NATIVE_OPTION` for an address or a file that cannot be read, with its name.
 */
export function readIndexSettings(where: Surroundings = { env: process.env }): IndexSettings | null {
  const { env } = where;
  const pip = readPip(where);
  const uv = () => readUv(where);
  // Only links in a folder, or no index at all: pip's business.
  if (!env['G2D_INDEX'] && isSet(env['PIP_NO_INDEX'] ?? pip.get('no-index')?.value)) return null;
  const named =
    fromEnvironment(env, 'G2D_INDEX', 'PIP_INDEX_URL', 'UV_DEFAULT_INDEX', 'UV_INDEX_URL') ??
    pip.get('index-url') ??
    uv();
  if (!named) return null;
  // uv's index may be `name=address`.
  const text = named.value.replace(/^[\w-]+=(?=https?:)/, '');
  const address = URL.canParse(text) ? new URL(text) : null;
  if (!address || !/^https?:$/.test(address.protocol)) {
    throw new NativeError(
      'G2D_NATIVE_OPTION',
      `${named.from} should hold the address of a Python package index, such as https://HOST/simple, but what it holds is none. Correct it, or ` +
        'set G2D_INDEX, which goes before it.',
      { from: named.from },
    );
  }
  const { username, password } = address;
  address.username = address.password = '';
  if (!address.pathname.endsWith('/')) address.pathname += '/';
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return {
    address,
    authorization: username ? `Basic ${Buffer.from(credentials).toString('base64')}` : null,
    from: named.from,
    proxy: readProxy(env, pip.get('proxy')?.value),
    certificates: readCertificates(env, pip.get('cert')),
  };
}

interface Named {
  readonly value: string;
  readonly from: string;
}

function fromEnvironment(env: NodeJS.ProcessEnv, ...names: string[]): Named | undefined {
  const from = names.find((name) => env[name]);
  return from === undefined ? undefined : { value: env[from]!, from };
}

const isSet = (value: string | undefined) => /^(?:1|y|yes|t|true|on)$/i.test(value ?? '');

const homeOf = (env: NodeJS.ProcessEnv) => env['HOME'] || homedir();
const configOf = (env: NodeJS.ProcessEnv) => env['XDG_CONFIG_HOME'] || join(homeOf(env), '.config');

/** pip's options, later files and sections before earlier ones; of each which file it is from. */
function readPip({ env, system: files = system }: Surroundings): Map<string, Named> {
  const found = new Map<string, Named>();
  const chosen = env['PIP_CONFIG_FILE'];
  // As pip: the null device in PIP_CONFIG_FILE means no file at all.
  if (chosen === '/dev/null') return found;
  const all = [
    ...files.pip,
    join(homeOf(env), '.pip', 'pip.conf'),
    join(configOf(env), 'pip', 'pip.conf'),
    ...(env['VIRTUAL_ENV'] ? [join(env['VIRTUAL_ENV'], 'pip.conf')] : []),
    ...(chosen ? [chosen] : []),
  ];
  const sections = all
    .filter((file) => existsSync(file))
    .map((file) => ({
      file,
      contents: parseIni(readFileSync(file, 'utf8')) as Record<string, unknown>,
    }));
  for (const section of ['global', 'download']) {
    for (const { file, contents } of sections) {
      for (const [key, value] of Object.entries((contents[section] ?? {}) as Record<string, unknown>)) {
        if (typeof value !== 'string' && typeof value !== 'boolean') continue;
        const name = key.trim().toLowerCase().replaceAll('_', '-');
        found.set(name, { value: String(value), from: file });
      }
    }
  }
  return found;
}

/** The index of uv's first configuration file that names one. */
function readUv({ env, system: files = system }: Surroundings): Named | undefined {
  const chosen = env['UV_CONFIG_FILE'];
  const all = chosen ? [chosen] : [join(configOf(env), 'uv', 'uv.toml'), ...files.uv];
  for (const file of all.filter((one) => existsSync(one))) {
    const value = defaultIndex(readToml(file));
    if (value !== undefined) return { value, from: file };
  }
  return undefined;
}

function readToml(file: string): Record<string, unknown> {
  try {
    return parseToml(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new NativeError(
      'G2D_NATIVE_OPTION',
      `${file} should be uv's configuration, but it is no TOML (${(error as Error).message.split('\n')[0]}). Correct it, or set G2D_INDEX.`,
      { file },
      { cause: error },
    );
  }
}

function defaultIndex(settings: Record<string, unknown>): string | undefined {
  const indexes = Array.isArray(settings['index']) ? (settings['index'] as Record<string, unknown>[]) : [];
  const pip = settings['pip'] as Record<string, unknown> | undefined;
  const value =
    indexes.find((one) => one['default'] === true)?.['url'] ?? settings['index-url'] ?? pip?.['index-url'];
  return typeof value === 'string' ? value : undefined;
}

function readProxy(env: NodeJS.ProcessEnv, ofPip: string | undefined): ProxySettings {
  const own = env['PIP_PROXY'] ?? ofPip;
  const all = own ?? env['all_proxy'] ?? env['ALL_PROXY'];
  return {
    http: own ?? env['http_proxy'] ?? env['HTTP_PROXY'] ?? all,
    https: own ?? env['https_proxy'] ?? env['HTTPS_PROXY'] ?? all,
    none: env['no_proxy'] ?? env['NO_PROXY'],
  };
}

function readCertificates(env: NodeJS.ProcessEnv, ofPip: Named | undefined): string | null {
  const named =
    fromEnvironment(env, 'PIP_CERT') ??
    ofPip ??
    fromEnvironment(env, 'REQUESTS_CA_BUNDLE', 'CURL_CA_BUNDLE', 'SSL_CERT_FILE');
  if (!named) return null;
  try {
    // Node's own addition counts too: a choice of certificates would shut it out.
    const extra = env['NODE_EXTRA_CA_CERTS'];
    return [named.value, ...(extra && existsSync(extra) ? [extra] : [])].map(readPem).join('\n');
  } catch (error) {
    throw new NativeError(
      'G2D_NATIVE_OPTION',
      `${named.from} names certificates in ${named.value}, but they cannot be read (${(error as Error).message}). Correct it.`,
      { from: named.from, file: named.value },
      { cause: error },
    );
  }
}

/** A file of certificates, or all files of a folder. */
function readPem(path: string): string {
  if (!statSync(path).isDirectory()) return readFileSync(path, 'utf8');
  const files = readdirSync(path).filter((name) => /\.(?:pem|crt)$/.test(name));
  return files.map((name) => readFileSync(join(path, name), 'utf8')).join('\n');
}
