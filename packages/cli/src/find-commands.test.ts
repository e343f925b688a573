// Commands that packages add, as a user's project has them: packages in node_modules, or the project itself.
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { findCommands } from './find-commands.js';
import { main } from './main.js';

const project = realpathSync(mkdtempSync(join(tmpdir(), 'g2d-commands-')));
const below = join(project, 'experiments/first');

const write = (path: string, content: string | object): void => {
  mkdirSync(dirname(join(project, path)), { recursive: true });
  writeFileSync(join(project, path), typeof content === 'string' ? content : JSON.stringify(content));
};

/** A package in node_modules. */
function writePackage(
  name: string,
  commands: string,
  manifest: object = { g2d: { commands: './commands.js' } },
): void {
  write(`node_modules/${name}/package.json`, { name, type: 'module', ...manifest });
  write(`node_modules/${name}/commands.js`, commands);
}

beforeAll(() => {
  const broken = ['fails', 'no-list', 'no-load', 'bad-name', 'no-path', 'not-there'];
  write('package.json', {
    name: 'my-project',
    type: 'module',
    dependencies: { '@me/greet': '*', tool: '*', plain: '*', missing: '*' },
    devDependencies: Object.fromEntries(broken.map((name) => [name, '*'])),
  });
  write('experiments/first/package.json', { name: 'first', type: 'module', g2d: { commands: 'own.js' } });
  write(
    'experiments/first/own.js',
    `export default { mine: { summary: 'of this folder', load: () => {} } };`,
  );
  writePackage(
    '@me/greet',
    `import { greet } from './greet.js';
     export default {
       greet: { summary: 'says hello', load: async () => greet },
       'data count': { summary: 'counts', load: async () => greet },
       train: { summary: 'takes the place of another', load: async () => greet },
       constructor: { summary: 'is called so', load: async () => greet },
       'valueOf greeting': { summary: 'is of a group that is called so', load: async () => greet },
     };`,
  );
  write(
    'node_modules/@me/greet/greet.js',
    `export const greet = {
       usage: 'NAME [options]',
       description: 'Says hello.',
       options: {
         times: { value: 'N', default: '1', help: 'how often' },
         to: { value: 'WHOM', multiple: true, also: 'and', help: 'others' },
         'no-end': { help: 'without a full stop' },
       },
       details: 'Example: g2d greet you',
       async run({ values, positionals, args }, { out }) {
         out(JSON.stringify({ values, positionals, args }));
         return 1;
       },
     };`,
  );
  writePackage('tool', `export default { greet: { summary: 'comes second', load: () => {} } };`);
  writePackage('plain', `throw new Error('nobody asked for this');`, {});
  writePackage('fails', `throw new Error('my bug');`);
  writePackage('no-list', `export const commands = {};`);
  writePackage('no-load', `export default { lonely: { summary: 'does nothing' } };`);
  writePackage('bad-name', `export default { 'one two three': { summary: '', load: () => {} } };`);
  writePackage('no-path', '', { g2d: { commands: 5 } });
  writePackage('not-there', '', { g2d: { commands: './elsewhere.js' } });
});
afterAll(() => rmSync(project, { recursive: true }));
afterEach(() => vi.restoreAllMocks());

/** Runs a command line as if it were typed in the project. */
async function g2d(...args: string[]) {
  vi.spyOn(process, 'cwd').mockReturnValue(below);
  let [stdout, stderr] = ['', ''];
  const code = await main(args, { out: (text) => (stdout += text), err: (text) => (stderr += text) });
  return { code, stdout, stderr };
}

describe('findCommands', () => {
  it('finds them in every package.json upwards, the nearest first, and beside this package', async () => {
    const found = await findCommands(below, () => {});
    // The last ones are those of this repository.
    expect(Object.keys(found)).toEqual(
      expect.arrayContaining(['mine', 'greet', 'data count', 'parity', 'bench']),
    );
    expect(found['greet']?.summary).toBe('says hello');
    expect((await findCommands(project, () => {}))['mine']).toBeUndefined();
  });

  it('leaves out what is none, and says so', async () => {
    const notes: string[] = [];
    await findCommands(below, (note) => notes.push(note));
    expect(notes.map((note) => note.replace('The commands of ', '')).sort()).toEqual([
      'bad-name are left out: "one two three" is no name for one, of a word or two.',
      'fails are left out: ./commands.js cannot be loaded: my bug',
      'no-list are left out: the default export of ./commands.js is no list of commands.',
      'no-load are left out: "lonely" lacks a `summary`, or a function `load` that gives the command.',
      'no-path are left out: "g2d.commands" of its package.json is no path.',
      expect.stringMatching(/^not-there are left out: \.\/elsewhere\.js cannot be loaded: /),
    ]);
  });
});

describe('g2d with a command of a package', () => {
  it('lists it, and explains it', async () => {
    const { stdout } = await g2d('--help');
    expect(stdout).toMatch(/ {2}train +trains one model/);
    expect(stdout).toMatch(/ {2}greet +says hello\n/);
    expect((await g2d('data', '--help')).stdout).toMatch(/ {2}data prepare .*\n {2}data count +counts\n/);
    const help = await g2d('greet', '--help');
    expect(help.code).toBe(0);
    expect(help.stdout).toMatch(
      /^Usage: g2d greet NAME \[options\]\n\nSays hello\.\n\nOptions:\n {2}--times <N> +how often\n[\s\S]*\nExample: g2d greet you\n$/,
    );
  });

  it('hands over the options and the rest of the line', async () => {
    const line = ['you', '--to', 'me', '--and=them', '--times=2', '--no-end', '--', '--all'];
    const { code, stdout } = await g2d('greet', ...line);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      values: { times: '2', to: ['me', 'them'], 'no-end': true },
      positionals: ['you', '--all'],
      args: line,
    });
    expect(JSON.parse((await g2d('data', 'count')).stdout)).toEqual({
      values: { times: '1', to: [], 'no-end': false },
      positionals: [],
      args: [],
    });
  });

  it.each([
    [['greet', '--tims', '2'], "Unknown option '--tims' (did you mean --times?); see g2d greet --help."],
    [['greet', '--times'], "Option '--times <N>' argument missing; see g2d greet --help."],
    [
      ['greet', '--times', '--to', 'me'],
      "Option '--times' is followed by '--to'; a value that begins with a dash",
    ],
    [['data', 'count', '-x'], "Unknown option '-x'; see g2d data count --help."],
    [['data', 'cont'], 'There is no command "data cont"; the commands are train, evaluate, '],
    [['--quiet'], "Unknown option '--quiet'; see g2d --help."],
  ])('refuses %j with one sentence', async (args, message) => {
    const { code, stdout, stderr } = await g2d(...args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(`g2d: ${message}`);
  });

  it('looks for none where the command is its own', async () => {
    const { code, stderr } = await g2d('train');
    expect([code, stderr]).toEqual([2, expect.not.stringContaining('left out')]);
  });

  it('takes names that every object has for any others', async () => {
    const { stdout } = await g2d('constructor', 'you');
    expect(JSON.parse(stdout)).toMatchObject({ positionals: ['you'] });
    expect(JSON.parse((await g2d('valueOf', 'greeting', 'you')).stdout)).toMatchObject({
      positionals: ['you'],
    });
    const list = (await g2d('--help')).stdout;
    expect(list).toMatch(/constructor +is called so/);
    expect(list).toMatch(/valueOf greeting +is of a group/);
  });
});
