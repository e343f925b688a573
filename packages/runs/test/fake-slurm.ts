// Programs of Slurm that keep their queue in a file: they answer as Slurm 22.05 does.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** One call of sbatch that was accepted. */
export interface FakeJob {
  readonly job: string;
  readonly args: readonly string[];
}

/** The queue of a test. */
export interface FakeSlurm {
  /** For `PATH`. */
  readonly bin: string;
  /** All that sbatch has accepted. */
  jobs(): readonly FakeJob[];
  /** Elements that left the queue, or arrays. */
  leave(...jobs: readonly string[]): void;
  /** Elements that run. */
  begin(...jobs: readonly string[]): void;
  /** What scontrol, scancel and srun were called with; of srun its options. */
  calls(): readonly string[];
  /** What programs read: `accept` so many calls of sbatch, then `refuse` in these words; `kill`: sbatch kills who called it, in place of an answer. */
  set(behaviour: {
    readonly accept?: number;
    readonly refuse?: string;
    readonly kill?: boolean;
    readonly silent?: string;
    readonly most?: number;
  }): void;
}

const PROGRAM = String.raw`
const { appendFileSync, existsSync, readFileSync } = require('node:fs');
const { basename, join, dirname } = require('node:path');
const here = join(dirname(process.argv[1]), '..');
const lines = (name) => existsSync(join(here, name)) ? readFileSync(join(here, name), 'utf8').split('\n').filter(Boolean) : [];
const behaviour = JSON.parse(lines('behaviour.json')[0] ?? '{}');
const program = basename(process.argv[1]);
const args = process.argv.slice(2);
const fail = (text) => { console.error(text); process.exit(1); };
const jobs = lines('jobs.jsonl').map((line) => JSON.parse(line));
if (program === 'sbatch') {
  if (args[0] === '--version') { console.log('slurm-wlm 22.05.8'); process.exit(0); }
  if (jobs.length >= (behaviour.accept ?? Infinity)) fail('sbatch: error: ' + behaviour.refuse + '\nsbatch: error: Batch job submission failed: ' + behaviour.refuse);
  const job = String(100 + jobs.length);
  appendFileSync(join(here, 'jobs.jsonl'), JSON.stringify({ job, args }) + '\n');
  if (behaviour.kill) process.kill(process.ppid, 'SIGKILL');
  else console.log(job);
}
if (program === 'squeue') {
  if (behaviour.silent) fail('slurm_load_jobs error: ' + behaviour.silent);
  const gone = new Set(lines('gone'));
  const running = new Set(lines('running'));
  const all = jobs.flatMap(({ job, args }) => {
    const value = (key) => args.find((arg) => arg.startsWith('--' + key + '=')).slice(key.length + 3);
    const most = Number(/-(\d+)/.exec(value('array'))[1]);
    return Array.from({ length: most + 1 }, (_, i) => ({ id: job + '_' + i, job, i, comment: value('comment') }))
      .filter(({ id }) => !gone.has(id) && !gone.has(job))
      .map((element) => ({ ...element, state: running.has(element.id) ? 'RUNNING' : 'PENDING' }));
  });
  if (args.includes('-j')) {
    const one = all.find(({ id }) => id === args[args.indexOf('-j') + 1]);
    if (one) console.log(one.state);
  } else {
    console.log('7|N/A|RUNNING|(null)\n8|3|RUNNING|/somebody/else abc');
    for (const { job, i, state, comment } of all) console.log([job, i, state, comment].join('|'));
  }
}
if (program === 'srun') {
  appendFileSync(join(here, 'calls'), [program, ...args.filter((arg) => arg.startsWith('--') && arg !== '--planned')].join(' ') + '\n');
  const first = args.findIndex((arg) => !arg.startsWith('--'));
  const [, count] = /^--ntasks=(\d+)$/.exec(args[0]);
  const { spawn } = require('node:child_process');
  const step = { SLURM_STEP_NUM_TASKS: count, SLURM_STEP_ID: '0' };
  const tasks = Array.from({ length: Number(count) }, (_, rank) =>
    spawn(args[first], args.slice(first + 1), { stdio: 'inherit', env: { ...process.env, ...step, SLURM_PROCID: String(rank) } }));
  process.on('SIGTERM', () => tasks.forEach((task) => task.kill('SIGTERM')));
  for (const task of tasks) task.on('exit', (code) => { process.exitCode = Math.max(process.exitCode ?? 0, code ?? 137); });
}
if (program === 'scontrol' && args[0] === 'show') console.log('MaxArraySize            = ' + (behaviour.most ?? 1001) + '\nMaxJobCount = 10000');
else if (program === 'scontrol' || program === 'scancel') {
  appendFileSync(join(here, 'calls'), [program, ...args].join(' ') + '\n');
  if (program === 'scancel') appendFileSync(join(here, 'gone'), args.join('\n') + '\n');
}
`;

/** Makes the programs in a folder of a test. */
export function fakeSlurm(root: string): FakeSlurm {
  const bin = join(root, 'bin');
  mkdirSync(bin, { recursive: true });
  for (const program of ['sbatch', 'squeue', 'scontrol', 'scancel', 'srun']) {
    writeFileSync(join(bin, program), `#!${process.execPath}\n${PROGRAM}`);
    chmodSync(join(bin, program), 0o755);
  }
  const lines = (name: string): string[] =>
    existsSync(join(root, name)) ? readFileSync(join(root, name), 'utf8').split('\n').filter(Boolean) : [];
  const add = (name: string, more: readonly string[]): void =>
    writeFileSync(join(root, name), [...lines(name), ...more, ''].join('\n'));
  return {
    bin,
    jobs: () => lines('jobs.jsonl').map((line) => JSON.parse(line) as FakeJob),
    leave: (...jobs) => add('gone', jobs),
    begin: (...jobs) => add('running', jobs),
    calls: () => lines('calls'),
    set: (behaviour) => writeFileSync(join(root, 'behaviour.json'), JSON.stringify(behaviour)),
  };
}

/** Puts the programs before all others, until the returned function is called. */
export function onPath({ bin }: FakeSlurm): () => void {
  const before = process.env['PATH'];
  process.env['PATH'] = [bin, before].join(delimiter);
  return () => {
    process.env['PATH'] = before;
    rmSync(bin, { recursive: true, force: true });
  };
}
