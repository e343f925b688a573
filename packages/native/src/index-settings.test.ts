import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../test/fake-wheel.js';
import { readIndexSettings } from './index-settings.js';

const none = { pip: [], uv: [] };

/** A home with these files. */
function home(files: Readonly<Record<string, string>> = {}): string {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return folder;
}

const read = (env: NodeJS.ProcessEnv, files: Readonly<Record<string, string>> = {}) =>
  readIndexSettings({ env: { HOME: home(files), ...env }, system: none });
const address = (...given: Parameters<typeof read>) => read(...given)?.address.href;

const pipConf = '[global]\nindex-url = http://pip.test/simple\nproxy = http://proxy.test:3128\n';

describe('readIndexSettings', () => {
  it('is null where nothing names an index', () => {
    expect(read({})).toBeNull();
    expect(read({}, { '.config/pip/pip.conf': '[global]\ntimeout = 60\n' })).toBeNull();
  });

  it('prefers G2D_INDEX to pip, pip to uv, and the environment to files', () => {
    const files = {
      '.config/pip/pip.conf': pipConf,
      '.config/uv/uv.toml': '[[index]]\nurl = "http://uv.test/simple"\ndefault = true\n',
    };
    const env = { UV_DEFAULT_INDEX: 'inside=http://uv-env.test/a', PIP_INDEX_URL: 'http://pip-env.test/b/' };
    expect(address({ ...env, G2D_INDEX: 'http://g2d.test' }, files)).toBe('http://g2d.test/');
    expect(address(env, files)).toBe('http://pip-env.test/b/');
    expect(address({ UV_DEFAULT_INDEX: env.UV_DEFAULT_INDEX }, files)).toBe('http://uv-env.test/a/');
    expect(address({}, files)).toBe('http://pip.test/simple/');
    expect(address({}, { '.config/uv/uv.toml': files['.config/uv/uv.toml'] })).toBe('http://uv.test/simple/');
  });

  it.each([
    'index-url = "http://uv.test/simple"\n',
    '[pip]\nindex-url = "http://uv.test/simple"\n',
    '[[index]]\nurl = "http://other.test"\n[[index]]\nname = "x"\nurl = "http://uv.test/simple"\ndefault = true\n',
  ])('reads each way in which uv names its index', (text) => {
    expect(address({}, { '.config/uv/uv.toml': text })).toBe('http://uv.test/simple/');
  });

  it('reads pip as pip does: later files and [download] first, either spelling of a key', () => {
    const files = {
      '.pip/pip.conf': '[global]\nindex_url = http://old.test\n',
      '.config/pip/pip.conf':
        '[global]\nindex-url = http://user.test\n[download]\nindex_url=http://download.test\n',
    };
    expect(address({}, files)).toBe('http://download.test/');
    const chosen = join(home({ 'my.conf': '[download]\nindex-url = http://chosen.test\n' }), 'my.conf');
    expect(address({ PIP_CONFIG_FILE: chosen }, files)).toBe('http://chosen.test/');
    expect(address({ PIP_CONFIG_FILE: '/dev/null' }, files)).toBeUndefined();
  });

  it('leaves folders of links to pip', () => {
    expect(read({ PIP_NO_INDEX: '1', PIP_INDEX_URL: 'http://pip.test' })).toBeNull();
    expect(read({ PIP_NO_INDEX: '0', PIP_INDEX_URL: 'http://pip.test' })).not.toBeNull();
  });

  it('keeps a name and a password out of the address', () => {
    const found = read({ PIP_INDEX_URL: 'https://anna:s%23cret@pip.test/simple' })!;
    expect(found.address.href).toBe('https://pip.test/simple/');
    expect(found.authorization).toBe(`Basic ${Buffer.from('anna:s#cret').toString('base64')}`);
    expect(JSON.stringify({ ...found, authorization: null })).not.toContain('cret');
  });

  it('takes proxies from pip, then from the environment', () => {
    const index = { PIP_INDEX_URL: 'http://pip.test' };
    const env = { ...index, https_proxy: 'http://a.test', ALL_PROXY: 'http://all.test', NO_PROXY: 'x.test' };
    expect(read(env)!.proxy).toEqual({ http: 'http://all.test', https: 'http://a.test', none: 'x.test' });
    expect(read(env, { '.config/pip/pip.conf': pipConf })!.proxy.https).toBe('http://proxy.test:3128');
  });

  it('takes certificates from a file or a folder', () => {
    const folder = home({ 'a.pem': 'A', 'b.crt': 'B', 'c.txt': 'C' });
    const index = { PIP_INDEX_URL: 'http://pip.test' };
    expect(read({ ...index, SSL_CERT_FILE: join(folder, 'a.pem') })!.certificates).toBe('A');
    expect(read({ ...index, REQUESTS_CA_BUNDLE: folder })!.certificates).toBe('A\nB');
    expect(read(index)!.certificates).toBeNull();
    expect(() => read({ ...index, PIP_CERT: join(folder, 'none') })).toThrow(
      /^PIP_CERT names certificates in .* but they cannot be read/,
    );
  });

  it('says which setting holds no address, without printing it', () => {
    expect(() => read({ PIP_INDEX_URL: 'anna:secret@pip.test' })).toThrow(
      /^PIP_INDEX_URL should hold the address of a Python package index, such as https:\/\/HOST\/simple, but what it holds is none\. Correct it/,
    );
    expect(() => read({}, { '.config/uv/uv.toml': 'index = [' })).toThrow(
      /uv\.toml should be uv's configuration, but it is no TOML/,
    );
  });
});
