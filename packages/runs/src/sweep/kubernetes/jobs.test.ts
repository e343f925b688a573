import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toyConfig } from '../../../test/toy-config.js';
import { parseConfig } from '../../read-config.js';
import type { PlannedRun } from '../plan.js';
import { listName } from '../queue-log.js';
import { runSweep } from '../run-sweep.js';
import { sweepSchema } from '../schema.js';
import { sweepStatus } from '../status.js';
import { kubernetesJobs, type KubernetesList } from './jobs.js';
import { kubernetesEngine, kubernetesPatches } from './kubernetes-engine.js';

const config = parseConfig(toyConfig());
const runOf = (id: string, ...needs: string[]): PlannedRun => ({ id, needs, config });
const runs = [
  runOf('loud'),
  runOf('quiet'),
  runOf('joint'),
  runOf('g2d', 'loud', 'quiet'),
  runOf('smp', 'loud'),
];

const settingsOf = (changes: object = {}) =>
  sweepSchema.parse({ name: 'x', base: 'y', kubernetes: { image: 'g2d:1', claim: 'work', ...changes } })
    .kubernetes as NonNullable<ReturnType<typeof sweepSchema.parse>['kubernetes']>;
const options = {
  name: 'Table 1',
  out: 'runs/table-1',
  folder: '/home/me/g2d',
  retries: 2,
  settings: settingsOf(),
  isFinished: () => false,
};

describe('kubernetesJobs', () => {
  it('trains each run by several processes of its pod', () => {
    const { list } = kubernetesJobs([runOf('joint')], { ...options, processes: 4 });
    expect(list.items[0]).toMatchObject({
      spec: {
        template: {
          spec: {
            containers: [
              {
                command: [
                  'npx',
                  'g2d',
                  'sweep',
                  'run',
                  'runs/table-1',
                  '--planned',
                  '--list',
                  listName(['joint']),
                  '--processes',
                  '4',
                ],
              },
            ],
          },
        },
      },
    });
  });

  it('is an Indexed Job for what needs nothing, and a suspended one for the rest', () => {
    const { list, jobs } = kubernetesJobs(runs, options);
    const ids = ['loud', 'quiet', 'joint'];
    expect(jobs).toEqual([
      { name: `table-1-0-${listName(ids)}`, list: listName(ids), runs: ids, suspended: false },
      expect.objectContaining({ runs: ['g2d', 'smp'], suspended: true }),
    ]);
    expect(list.items).toHaveLength(2);
    expect(list.items[1]).toMatchObject({ kind: 'Job', spec: { suspend: true, completions: 2 } });
    expect(list.items[0]).toEqual({
      apiVersion: 'batch/v1',
      kind: 'Job',
      metadata: { name: `table-1-0-${listName(ids)}`, labels: { 'g2d-sweep': 'table-1' } },
      spec: {
        completions: 3,
        parallelism: 3,
        completionMode: 'Indexed',
        backoffLimitPerIndex: 2,
        maxFailedIndexes: 3,
        podReplacementPolicy: 'Failed',
        podFailurePolicy: {
          rules: [
            { action: 'FailIndex', onExitCodes: { containerName: 'g2d', operator: 'In', values: [2, 4] } },
            { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
          ],
        },
        template: {
          spec: {
            restartPolicy: 'Never',
            terminationGracePeriodSeconds: 120,
            containers: [
              {
                name: 'g2d',
                image: 'g2d:1',
                command: ['npx', 'g2d', 'sweep', 'run', 'runs/table-1', '--planned', '--list', listName(ids)],
                workingDir: '/home/me/g2d',
                resources: {},
                volumeMounts: [{ name: 'work', mountPath: '/home/me/g2d' }],
              },
            ],
            volumes: [{ name: 'work', persistentVolumeClaim: { claimName: 'work' } }],
          },
        },
      },
    });
  });

  it('begins with students whose teachers are finished', () => {
    const students = runs.slice(2);
    const { jobs } = kubernetesJobs(students, { ...options, isFinished: () => true });
    expect(jobs.map(({ runs: ids, suspended }) => [ids, suspended])).toEqual([
      [['joint', 'g2d', 'smp'], false],
    ]);
  });

  it('is a JobSet for all that hang together, with those behind whom they wait', () => {
    const more = [...runs, runOf('other'), runOf('pupil', 'other')];
    const { list, jobs } = kubernetesJobs(more, { ...options, settings: settingsOf({ jobset: true }) });
    expect(jobs.map(({ runs: ids, suspended }) => [ids, suspended])).toEqual([
      [['joint'], false],
      [['loud', 'quiet'], false],
      [['g2d', 'smp'], false],
      [['other'], false],
      [['pupil'], false],
    ]);
    expect(list.items.map((item) => (item as { kind: string }).kind)).toEqual(['Job', 'JobSet', 'JobSet']);
    expect(list.items[1]).toMatchObject({
      apiVersion: 'jobset.x-k8s.io/v1alpha2',
      spec: {
        replicatedJobs: [
          { name: 'level-0', replicas: 1, template: { spec: { completions: 2 } } },
          { name: 'level-1', dependsOn: [{ name: 'level-0', status: 'Complete' }] },
        ],
      },
    });
    for (const { name } of jobs) expect(name).toMatch(/^[a-z0-9]([a-z0-9-]{0,50}[a-z0-9])?$/);
  });
});

describe('kubernetesEngine', () => {
  let out: string;
  beforeEach(() => {
    out = join(mkdtempSync(join(tmpdir(), 'g2d-kubernetes-')), 'sweep');
  });
  afterEach(() => rmSync(join(out, '..'), { recursive: true, force: true }));
  const SUMMARY = fileURLToPath(
    new URL('../../../test/fixtures/version-1/g2d/summary.json', import.meta.url),
  );

  it('says how to start students when their teachers are finished, and not once they have begun', async () => {
    const { retries, slurm, kubernetes } = sweepSchema.parse({
      name: 'x',
      kubernetes: { image: 'g2d:1', claim: 'work' },
    });
    const plan = { name: 'table-1', out, runs, queues: { retries, slurm, kubernetes } };
    const written: KubernetesList[] = [];
    const write = (list: KubernetesList): void => void written.push(list);
    const reporter = { begin() {}, epoch() {}, finished() {}, failed() {}, note() {} };
    const again = () =>
      runSweep(plan, {
        engine: kubernetesEngine({ write }),
        signal: new AbortController().signal,
        reporter,
      });
    await again();
    await again();
    expect(written[1]).toEqual(written[0]);
    const needs = new Map(runs.map((run) => [run.id, run.needs]));
    const patches = () => kubernetesPatches(out, sweepStatus(plan), needs);
    const finish = (id: string): void => {
      mkdirSync(join(out, id), { recursive: true });
      copyFileSync(SUMMARY, join(out, id, 'summary.json'));
    };
    finish('loud');
    expect(patches()).toEqual([]);
    finish('quiet');
    const name = `table-1-1-${listName(['g2d', 'smp'])}`;
    expect(patches()).toEqual([`kubectl patch job ${name} --type=merge -p '{"spec":{"suspend":false}}'`]);
    finish('smp');
    expect(patches()).toEqual([]);
  });

  it('needs to be told an image and a claim', async () => {
    const reporter = { begin() {}, epoch() {}, finished() {}, failed() {}, note() {} };
    const context = { out, plan: { name: 'x' }, signal: new AbortController().signal, reporter };
    await expect(kubernetesEngine({ write() {} }).run(runs, context)).rejects.toThrow(
      /The sweep x has no "kubernetes"; it needs at least/,
    );
  });
});
