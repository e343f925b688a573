import { describe, expect, it } from 'vitest';
import { groups, twinsOf } from './groups.js';
import { describeNetwork, networks } from './networks.js';
import { parseOptions } from './options.js';
import { programsOf } from './programs.js';

const DATASETS = ['av-mnist', 'crema-d', 'iemocap', 'mis-me', 'ur-funny', 'vgg-sound'];
const named = (group: string, dataset: string) => groups[group]!(dataset);

describe('the networks', () => {
  it('are those of the six datasets', () => {
    expect(Object.keys(networks).sort()).toEqual(DATASETS);
  });

  it('are told to PyTorch with whole shapes, the costliest modality by name', () => {
    expect(JSON.parse(describeNetwork(networks['iemocap']!))).toMatchObject({
      task: 'classification',
      classes: 4,
      costliest: 'audio',
      modalities: {
        audio: { encoder: 'transformer', shape: [100, 130] },
        text: { encoder: 'transformer', shape: [22, 1024] },
      },
    });
  });
});

describe('the groups', () => {
  it('compare convolutions in both layouts, and Transformers in the one that there is', () => {
    const layouts = (dataset: string) => named('joint', dataset)[0]!.against.map(({ name }) => name);
    expect(layouts('mis-me')).toEqual(['PyTorch, channels last', 'PyTorch, NCHW']);
    expect(layouts('ur-funny')).toEqual(['PyTorch']);
  });

  it('have a goal of the joint step, and of its memory, for every dataset', () => {
    const goals = DATASETS.map((dataset) => {
      const [{ goal, memoryGoal } = {}] = named('joint', dataset);
      return [goal, memoryGoal];
    });
    expect(goals).toEqual([0.7, 0.6, 0.85, 0.7, 0.75, 0.65].map((goal) => [goal, 1]));
  });

  it('ask of SMP what it can save', () => {
    const goals = (dataset: string) => named('phases', dataset).map(({ goal }) => goal);
    expect(goals('crema-d')).toEqual([0.68, 0.85, undefined]);
    // Three quarters of the multiplications stay where the video trains; all where the image of MIS-ME does.
    expect(goals('vgg-sound')).toEqual([0.78, 0.9, undefined]);
    expect(goals('mis-me')).toEqual([1.03, 1.03, undefined]);
  });

  it('run a program once that several comparisons share', () => {
    const programs = programsOf([...named('joint', 'crema-d'), ...named('phases', 'crema-d')]);
    const names = programs.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => name === 'CREMA-D, ours: joint')).toHaveLength(1);
    expect(names).toContain('CREMA-D, PyTorch: G2D, prioritized phase');
  });

  it('time G2D only beside a twin that was compared as G2D', () => {
    expect(twinsOf('phases', 'av-mnist')!.twin.args.join(' ')).toBe(
      '--method g2d --phase prioritized --teachers cached --scope encoder',
    );
    expect(twinsOf('online', 'av-mnist')!.ours.args).toContain('conv');
    expect(twinsOf('joint', 'av-mnist')!.ours.args).toEqual([]);
  });

  it('time an epoch of what npm start trains, beside AV-MNIST alone', () => {
    expect(named('epoch', 'crema-d')).toEqual([]);
    expect(twinsOf('epoch', 'crema-d')).toBeUndefined();
    const [joint, g2d] = named('epoch', 'av-mnist');
    expect(joint!.ours.programs[0]).toMatchObject({ args: ['--samples', '1000'], sizes: { batch: 64 } });
    expect(g2d!.against[0]!.programs).toHaveLength(2);
    // Losses are those of steps.
    expect(twinsOf('epoch', 'av-mnist')!.twin.args).not.toContain('--samples');
  });

  it('let one size grow at a time, lengths only of sequences', () => {
    const names = (dataset: string) => named('growth', dataset).map(({ name }) => name);
    // Its image of 28 × 28 ends as one pixel: of one sample there is nothing to normalize.
    expect(names('av-mnist')).toHaveLength(4 + 2 + 5);
    expect(names('av-mnist')[0]).toBe('batch 2');
    expect(names('ur-funny')).toHaveLength(5 + 2 + 5 + 5);
    const longest = named('growth', 'ur-funny').at(-1)!.ours.programs[0]!;
    expect(longest.sizes).toEqual({ batch: 4 });
    expect(longest.network.modalities).toEqual({
      visual1: { shape: [null, 371], length: 500, encoder: 'transformer' },
    });
    const programs = programsOf(named('growth', 'ur-funny'));
    expect(new Set(programs.map(({ name }) => name)).size).toBe(2 * 17);
  });
});

describe('parseOptions', () => {
  it('measures the joint steps of all datasets unless told otherwise', () => {
    expect(parseOptions([])).toMatchObject({ groups: ['joint'], batch: 16, through: [] });
    expect([...parseOptions([]).datasets].sort()).toEqual(DATASETS);
    expect(
      parseOptions(['--only', 'joint, phases', '--dataset', 'mis-me', '--through', 'taskset -c 0']),
    ).toMatchObject({
      groups: ['joint', 'phases'],
      datasets: ['mis-me'],
      through: ['taskset', '-c', '0'],
    });
  });

  it('names what it accepts', () => {
    expect(() => parseOptions(['--only', 'everything'])).toThrow(
      /joint, phases, online, bfloat16, growth, epoch/,
    );
    expect(() => parseOptions(['--dataset', 'imagenet'])).toThrow(/av-mnist/);
    expect(() => parseOptions(['--rounds', '0'])).toThrow(/at least 1/);
  });
});
