import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fakeProject, temporaryFolder } from '../test/fake-wheel.js';
import { asOrdinaryUser } from '../test/ordinary-user.js';
import { sha256File, type Library } from './cache.js';
import {
  bindingFile,
  hasPassed,
  isPlaced,
  linkFile,
  place,
  readPlaced,
  takeOut,
  writePlaced,
} from './place.js';
import { findTfjsNode } from './project.js';

async function parts(contents = 'an add-on') {
  const tfjs = findTfjsNode(fakeProject())!;
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'lib'));
  const library = { folder, id: 'an id', stamp: 'a stamp', manifest: {} as Library['manifest'] };
  const file = join(temporaryFolder(), 'tfjs_binding.node');
  writeFileSync(file, contents);
  return { tfjs, library, addon: { file, sha256: await sha256File(file) } };
}

describe('place', () => {
  it('links the library and copies the add-on', async () => {
    const { tfjs, library, addon } = await parts();
    expect(isPlaced(tfjs, library, addon)).toBe(false);
    await place(tfjs, library, addon);
    expect(isPlaced(tfjs, library, addon)).toBe(true);
    expect(readlinkSync(linkFile(tfjs))).toBe(library.folder);
    expect(readFileSync(bindingFile(tfjs), 'utf8')).toBe('an add-on');
    expect(readdirSync(tfjs.folder).filter((name) => name.includes('.g2d-'))).toEqual([]);
  });

  it('replaces an older link and an older add-on', async () => {
    const { tfjs, library, addon } = await parts();
    const older = await parts('older');
    await place(tfjs, older.library, older.addon);
    expect(isPlaced(tfjs, library, addon)).toBe(false);
    await place(tfjs, library, addon);
    expect(isPlaced(tfjs, library, addon)).toBe(true);
    expect(existsSync(older.library.folder)).toBe(true);
  });

  it("keeps the library of tfjs-node's own installer under another name", async () => {
    const { tfjs, library, addon } = await parts();
    mkdirSync(join(linkFile(tfjs), 'lib'), { recursive: true });
    const notes: string[] = [];
    await place(tfjs, library, addon, (line) => notes.push(line));
    expect(existsSync(`${linkFile(tfjs)}.tfjs-node/lib`)).toBe(true);
    expect(notes).toHaveLength(1);
    expect(isPlaced(tfjs, library, addon)).toBe(true);
  });

  it('is taken out again, but for what was not put there', async () => {
    const { tfjs, library, addon } = await parts();
    await place(tfjs, library, addon);
    expect(hasPassed(tfjs)).toBe(false);
    await takeOut(tfjs);
    expect([linkFile(tfjs), bindingFile(tfjs)].filter((file) => existsSync(file))).toEqual([]);
    expect(existsSync(library.folder)).toBe(true);
    await takeOut(tfjs);
    mkdirSync(linkFile(tfjs));
    writeFileSync(bindingFile(tfjs), "tfjs-node's own");
    await takeOut(tfjs);
    expect(existsSync(linkFile(tfjs)) && existsSync(bindingFile(tfjs))).toBe(true);
  });

  it("gives back the library and the add-on of tfjs-node's own installer when it is taken out", async () => {
    const { tfjs, library, addon } = await parts();
    mkdirSync(join(linkFile(tfjs), 'lib'), { recursive: true });
    mkdirSync(dirname(bindingFile(tfjs)), { recursive: true });
    writeFileSync(bindingFile(tfjs), "tfjs-node's own");
    await place(tfjs, library, addon);
    expect(readFileSync(bindingFile(tfjs), 'utf8')).toBe('an add-on');
    await takeOut(tfjs);
    expect(readFileSync(bindingFile(tfjs), 'utf8')).toBe("tfjs-node's own");
    expect(readdirSync(linkFile(tfjs))).toEqual(['lib']);
    expect(readdirSync(tfjs.folder).filter((name) => name.startsWith('deps'))).toEqual(['deps']);
  });

  it('says whose folder it is when it cannot be written', async () => {
    const { tfjs, library, addon } = await parts();
    chmodSync(tfjs.folder, 0o555);
    await expect(asOrdinaryUser(() => place(tfjs, library, addon))).rejects.toMatchObject({
      code: 'G2D_NATIVE_PROJECT_NOT_WRITABLE',
    });
  });
});

describe('isPlaced', () => {
  it('is false for a damaged add-on', async () => {
    const { tfjs, library, addon } = await parts();
    await place(tfjs, library, addon);
    writeFileSync(bindingFile(tfjs), 'xx');
    expect(isPlaced(tfjs, library, addon)).toBe(false);
  });
});

describe('writePlaced', () => {
  it('remembers what is there', async () => {
    const { tfjs, library, addon } = await parts();
    expect(readPlaced(tfjs)).toBeNull();
    await place(tfjs, library, addon);
    const placed = {
      format: 1,
      library: 'id',
      stamp: 'stamp',
      addon: 'sum',
      tensorflow: '9.9.9',
      variant: 'cpu',
      device: 'cpu',
      tested: ['v20.0.0'],
    } as const;
    await writePlaced(tfjs, placed);
    expect(readPlaced(tfjs)).toEqual(placed);
  });
});
