// The commands of "Continue on your machine" are configurations that `g2d train` accepts, for every method of the page.
import { resolve } from 'node:path';
import { parseSettings } from '@g2d/cli/internal';
import { readConfig } from '@g2d/runs';
import { describe, expect, it } from 'vitest';
import { methodOf } from '../src/catalog.js';
import { commandsFor } from '../src/page/commands.js';
import { DEFAULTS, methodOptions, type Settings } from '../src/settings.js';
import { catalog } from './catalog.js';

/** The words of a command, as a shell has them. */
const words = (command: string): string[] =>
  Array.from(command.matchAll(/'([^']*)'|(\S+)/g), ([, quoted, plain]) => quoted ?? (plain as string));

/** The configuration of a command, as `g2d train` reads it. */
function configOf(command: string) {
  const [npx, g2d, train, path, ...rest] = words(command);
  expect([npx, g2d, train]).toEqual(['npx', 'g2d', 'train']);
  const given = new Map<string, string[]>();
  for (let i = 0; i < rest.length; i += 2)
    given.set(rest[i]!, [...(given.get(rest[i]!) ?? []), rest[i + 1]!]);
  const set = parseSettings(given.get('--set') ?? []);
  const own = { method: given.get('--method')?.[0], seed: Number(given.get('--seed')) };
  return readConfig(resolve(import.meta.dirname, '../../..', path!), {
    ...set,
    seed: own.seed,
    ...(own.method !== undefined && { method: own.method }),
  });
}

const settings: Settings = { ...DEFAULTS, epochs: 30, seed: 3, signalToNoise: 0, imageComponents: 12 };

describe('commands', () => {
  it.each(catalog.map(({ name }) => name))('%s', (name) => {
    const method = methodOf(catalog, name)!;
    const own = { ...settings, method: name };
    const trainings = commandsFor(own, method).filter((command) => command.includes(' train '));
    expect(trainings).toHaveLength((method.teachers ? 2 : 0) + (name === 'joint' ? 1 : 2));
    for (const command of trainings) {
      const config = configOf(command);
      expect(config).toMatchObject({ seed: 3, epochs: 30 });
      expect(config.optimizer.schedule).toEqual({ type: 'step', after: [21] });
      expect(config.dataset).toMatchObject({ signalToNoise: 0, imageComponents: 12 });
    }
    const student = configOf(trainings.find((command) => command.includes(`--method ${name} `))!);
    for (const [part, options] of Object.entries(methodOptions(own, method)))
      expect(student.methodOptions[part], part).toEqual(options);
  });

  it('scale what is a part of the training: by the leaderboard’s own rule, as at its 60 epochs', () => {
    const partsAt = (epochs: number, name: string): object =>
      methodOptions({ ...settings, epochs, method: name }, methodOf(catalog, name)!)[name]!;
    expect(partsAt(60, 'gradient-blending')).toMatchObject({ every: 10 });
    expect(partsAt(30, 'gradient-blending')).toMatchObject({ every: 5 });
    expect(partsAt(30, 'mses')).toMatchObject({ patience: 5 });
    expect(partsAt(30, 'diagnosing-relearning')).toMatchObject({ every: 10 });
    expect(partsAt(30, 'di-mml')).toMatchObject({ interactionAfter: 10, fusionEpochs: 10 });
    // A stage is the divisor of the epochs that is nearest to a sixth.
    expect(partsAt(30, 'recon-boost')).toMatchObject({ boostEpochs: 2, rectifyEpochs: 3 });
    expect(partsAt(4, 'recon-boost')).toMatchObject({ boostEpochs: 1, rectifyEpochs: 1 });
  });
});
