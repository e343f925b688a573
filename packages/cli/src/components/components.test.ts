import { fileURLToPath } from 'node:url';
import { datasets } from '@g2d/datasets';
import { encoders } from '@g2d/encoders';
import { fusions } from '@g2d/fusion';
import { methods } from '@g2d/methods';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { main } from '../main.js';
import { describeOptions } from './describe-options.js';

async function g2d(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  let [stdout, stderr] = ['', ''];
  const code = await main(args, { out: (text) => (stdout += text), err: (text) => (stderr += text) });
  return { code, stdout, stderr };
}

const lists = { encoders, fusions, datasets, methods };

describe.each(Object.entries(lists))('g2d %s', (command, components) => {
  it('lists all of them', async () => {
    const { code, stdout } = await g2d(command);
    expect(code).toBe(0);
    for (const { name } of components) expect(stdout).toMatch(new RegExp(`^${name} .*`, 'm'));
    for (const { summary } of components) expect(stdout).toContain(summary);
    expect(JSON.parse((await g2d(command, '--json')).stdout)).toEqual(
      components.map(({ name, label, summary }) => ({ name, label, summary })),
    );
  });

  it('explains each of them', async () => {
    for (const component of components) {
      const { code, stdout } = await g2d(command, component.name);
      expect(code).toBe(0);
      expect(stdout).toContain(`${component.label} ("${component.name}"): ${component.summary}\n`);
      const options = 'options' in component ? Object.keys(component.options.shape) : [];
      for (const option of options) expect(stdout).toContain(`\n  ${option}: `);
    }
  });

  it('refuses a name that is none', async () => {
    const { code, stderr } = await g2d(command, 'no-such-thing');
    expect(code).toBe(2);
    expect(stderr).toMatch(
      /^g2d: There is no \w+ "no-such-thing"; it can be [\w, -]+, or the path of a module/,
    );
  });
});

describe('the explanation', () => {
  it('has type, range, default and source', async () => {
    const { stdout } = await g2d('encoders', 'transformer');
    expect(stdout).toContain('\npaper: Li et al., ');
    expect(stdout).toContain(
      '\n  heads: whole number at least 1; default 8\n    of the attention, a divisor',
    );
    expect(stdout).toContain('\n  dropout: number at least 0, below 1; default 0.1\n');
    const json = JSON.parse((await g2d('encoders', 'transformer', '--json')).stdout);
    expect(json).toMatchObject({ kind: 'encoder', options: { properties: { heads: { default: 8 } } } });
  });

  it('has formula, cost, needs and advice of every method', async () => {
    for (const { name, recipe } of methods) {
      const { stdout } = await g2d('methods', name);
      expect(stdout).toContain(`\nformula: ${recipe.formula}\n`);
      expect(stdout).toMatch(/\nneeds: (?![{[])/);
      const text = stdout.replaceAll(/\s+/g, ' ');
      for (const { claim, source } of recipe.advice) expect(text).toContain(`${claim} (${source}).`);
      expect(recipe.advice.length).toBeGreaterThan(0);
    }
    const { stdout } = await g2d('methods', 'g2d');
    const text = stdout.replaceAll(/\s+/g, ' ');
    expect(text).toContain('needs: a trained teacher for each modality methods: g2d-loss, smp');
    expect(text).toContain(
      '1 forward and 0.5 to 1 backward passes of all encoders, where joint training has 1 and 1: 0.67 to 1 × a joint step',
    );
    expect(text).toContain('and the teachers: their training, and in every step a forward pass of each');
    expect((await g2d('methods', 'mm-pareto')).stdout).toContain('\nneeds: nothing beside the data\n');
  });

  it('does without a recipe for a method of a user’s own', async () => {
    const path = fileURLToPath(new URL('../../../runs/test/toy-method.ts', import.meta.url));
    const { code, stdout } = await g2d('methods', path);
    expect(code).toBe(0);
    expect(stdout).not.toMatch(/formula|A step costs|undefined/);
  });

  it('is there for a component of a user’s own', async () => {
    const path = fileURLToPath(new URL('../../../runs/test/own-encoder.ts', import.meta.url));
    const { stdout } = await g2d('encoders', path);
    expect(stdout).toContain('Small dense ("small-dense"): one dense layer\n');
    expect(stdout).toContain('\n  units: whole number from 1 to 9; default 4\n    width of the features\n');
    const other = await g2d('fusions', path);
    expect(other.stderr).toContain(`The default export of ${path} is no definition of a fusion`);
  });
});

describe('describeOptions', () => {
  it('says what a value can be', () => {
    const options = z.strictObject({
      either: z.union([z.literal('session'), z.number().min(0).lt(1)]).default('session'),
      list: z.array(z.string()).optional(),
      pair: z.tuple([z.int(), z.int().max(3)]),
      each: z.record(z.string(), z.number()),
      form: z.discriminatedUnion('by', [
        z.strictObject({ by: z.literal('list'), seed: z.int() }),
        z.strictObject({ by: z.enum(['clip', 'actor']) }),
      ]),
      on: z.boolean(),
    });
    expect(Object.fromEntries(describeOptions(options).map(({ name, type }) => [name, type]))).toEqual({
      either: '"session" or number at least 0, below 1',
      list: 'list of text',
      pair: '[whole number; whole number at most 3]',
      each: 'object, each number',
      form: '{ by: "list", seed } or { by }',
      on: 'true, false',
    });
    expect(describeOptions(options)[0]).toMatchObject({ default: '"session"', required: false });
  });
});
