// The main job: `npm start`. Both teachers, joint training, SMP alone, the G2D loss alone and G2D on a small real
// AV-MNIST; a table on standard output, everything else in the run folder.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { relative, resolve } from 'node:path';
import { install, loadTensorFlow, NativeError, runtimeInfo, terminalProgress } from '@g2d/native';
import { G2DError } from '@g2d/core';
import { createProgress, openRunGroup, stopSignal } from '@g2d/runs';
import { openData } from './data.js';
import { Interrupted, runExperiment, workOf } from './experiment.js';
import { printResults, writeReport } from './report.js';
import { HELP, parseSettings } from './settings.js';

/** Installs TensorFlow where it is missing; without it training still works, on a slower backend. */
async function installTensorFlow(): Promise<void> {
  const forced = process.env['G2D_BACKEND'];
  if (forced && forced !== 'tensorflow') return;
  const interrupt = new AbortController();
  const onInterrupt = (): void => interrupt.abort();
  process.once('SIGINT', onInterrupt);
  try {
    await install({ progress: terminalProgress(), signal: interrupt.signal });
  } catch (error) {
    if (!NativeError.isInstance(error) || forced || interrupt.signal.aborted) throw error;
    console.error(`g2d: TensorFlow could not be installed. ${error.message}`);
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

/**
 * The commit that is checked out, and a hash of what differs from it: numbers can be traced, and a run is not continued
 * with other code. Nothing outside of a git clone.
 */
function gitCommit(): { gitCommit?: string } {
  try {
    const git = (...args: string[]): string =>
      execFileSync('git', args, {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
        maxBuffer: 2 ** 28,
      });
    const changes = git('diff', 'HEAD') + git('ls-files', '--others', '--exclude-standard');
    const hash = createHash('sha256').update(changes).digest('hex').slice(0, 8);
    return { gitCommit: git('rev-parse', 'HEAD').trim() + (changes === '' ? '' : `+${hash}`) };
  } catch {
    return {};
  }
}

async function main(): Promise<void> {
  const { settings, out, help } = parseSettings(process.argv.slice(2));
  if (help) {
    process.stdout.write(HELP);
    return;
  }
  await installTensorFlow();
  await loadTensorFlow();
  const { backend, device, tensorflow, tfjs, node } = runtimeInfo()!;
  const environment = {
    backend,
    device,
    versions: { tfjs, node, ...(tensorflow && { tensorflow }) },
    ...gitCommit(),
  };
  const group = await openRunGroup(
    out,
    { ...settings, ...environment },
    { onWait: () => console.error(`g2d: ${out} seems to be in use; finding out (12 seconds at most).`) },
  );
  const folder = relative('.', group.path) || '.';
  if (group.path !== resolve(out)) {
    console.error(`g2d: ${out} is in use by another run; this one writes to ${folder}.`);
  }
  if (group.resumed) console.error(`g2d: going on with the interrupted run in ${folder}.`);

  const progress = createProgress(workOf(settings));
  const { signal, dispose } = stopSignal((line) => progress.note(line));
  try {
    progress.stage('data');
    const data = await openData('data', settings.draw);
    const { seconds, ...results } = await runExperiment({ data, settings, group, progress, signal });
    progress.stop();
    const summary = { seed: settings.seed, backend, tensorflow, device, seconds, ...results };
    group.finish(summary);
    const report = await writeReport(group.path, data, process.argv.slice(2));
    printResults(group.path);
    console.log(`Report: ${relative('.', report)}`);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    progress.stop();
    console.error(`Interrupted; everything is saved in ${folder}. The same command goes on.`);
    process.exitCode = 130;
  } finally {
    progress.stop();
    dispose();
    await group.release();
  }
}

try {
  await main();
} catch (error) {
  const known = G2DError.isInstance(error) || NativeError.isInstance(error);
  // Files and folders that cannot be read or written: the system's own sentence says which.
  if (!known && !(error instanceof Error && 'syscall' in error)) throw error;
  console.error(`g2d: ${error.message}`);
  process.exitCode = NativeError.isInstance(error) && error.code === 'G2D_NATIVE_INTERRUPTED' ? 130 : 1;
}
