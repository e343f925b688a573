import { describeProcessor, type RuntimeInfo } from '@g2d/native';
import { OptionError } from '@g2d/core';
import { bfloat16Problem } from '@g2d/accelerate';
import { createProgress, joinProcesses, launched, startProcesses, type Sent } from '@g2d/runs';
import { processesOf } from '@g2d/cli/internal';
import { measureStep, stepCount, type StepMeasurement } from './measure-step.js';
import { stepCommandOf, stepOptions, type StepCommand } from './step-options.js';
import { defineCommand } from '@g2d/cli';
import { compareSteps } from './compare-steps.js';
import { networkOf } from './network.js';
import { operationRows, type OperationRow } from './operation-rows.js';
import { assertRecordable } from './operation-times.js';
import { measureLimits, type ProcessorLimits } from './processor-limits.js';
import { formatCompared, formatStep } from './format-step.js';

/** `g2d bench`. */
export const bench = defineCommand({
  usage: 'step --dataset NAME [options]',
  description: `Times one step of training at a dataset's shapes: what the training loop does from one batch to the next, with the paper's encoders (ResNet-18; Transformers for sequences; MobileNetV2 and dense layers for MIS-ME), late fusion and SGD (1e-3, momentum 0.9, weight decay 1e-4).
Inputs are random and lie ready in memory; no files are read. Progress goes to standard error.`,
  options: stepOptions,
  details: `Memory is the largest resident set of the whole process in MB of 2^20 bytes.

A method with stages, such as ReconBoost, is measured in each of them; its number is their mean, each with its share of a training of 300 epochs.

Exit code: 0; 2 for an error, such as options that do not go together.

Example: g2d bench step --dataset crema-d --batch 16 --method g2d --phase prioritized --scope encoder
         g2d bench step --dataset av-mnist --method all`,
  async run(given, output) {
    const command = stepCommandOf(given);
    const { setup, backend, compared } = command;
    const launch = launched();
    const count = processesOf(given.values.processes, launch);
    if (count > 1) assertTogether(command);
    if (!launch && count > 1) {
      const { execPath, execArgv, argv } = process;
      return startProcesses([execPath, ...execArgv, ...argv.slice(1)], { processes: count });
    }
    const isFirst = !launch || launch.rank === 0;
    const out = isFirst ? output.out : () => {};
    const { loadTensorFlow, runtimeInfo } = await import('@g2d/native');
    const note = (line: string): void => output.err(`g2d: ${line}\n`);
    const processes = launch && (await joinProcesses(launch, { out: process.cwd(), note }));
    if (!processes) await loadTensorFlow({ ...(backend && { backend }) });
    const runtime = runtimeInfo() as NonNullable<ReturnType<typeof runtimeInfo>>;
    assertPrecision(command, runtime);
    if (command.operations) assertRecordable(runtime);

    if (compared) {
      const { setups, rounds } = compared;
      const progress = createProgress(2 * rounds * setups.length);
      try {
        progress.stage(`${setup.dataset.title}: ${setups.length} methods in turn with joint training`);
        const found = await compareSteps(setup, compared, (method) => {
          progress.advance(1);
          progress.stage(method);
        });
        const { backend: used, device } = runtime;
        const skipped = [...compared.skipped, ...found.skipped];
        const all = { ...found, skipped, backend: used, device, rounds };
        progress.stop();
        out(command.json ? `${JSON.stringify(comparedReport(command, all))}\n` : formatCompared(setup, all));
      } finally {
        progress.stop();
      }
      return 0;
    }
    const { operations } = command;
    const progress = createProgress(stepCount(setup) + (operations ? 1 : 0));
    let measurement: StepMeasurement;
    let limits: ProcessorLimits | undefined;
    try {
      progress.stage(`${setup.dataset.title}: ${stepCount(setup)} steps`);
      measurement = await measureStep(setup, () => progress.advance(1), { processes, operations });
      processes?.leave();
      if (operations) {
        progress.stage('what this machine can do');
        // After the steps, whose memory is measured too.
        limits = await measureLimits();
        progress.advance(1);
      }
    } finally {
      progress.stop();
      processes?.close();
    }
    const report = {
      ...toReport(command, runtime, measurement),
      ...(processes && together(count, measurement)),
      ...(limits && within(limits, measurement)),
    };
    out(command.json ? `${JSON.stringify(report)}\n` : formatStep(setup, report));
    return 0;
  },
});

/** What several processes send in a step, and the network for it. */
function together(processes: number, { ms, sent }: StepMeasurement) {
  const { sums, bytes } = sent as Sent;
  return { processes, network: networkOf({ processes, sums, bytes, milliseconds: ms.median }) };
}

/** The operations of a step, and what this machine can do. */
function within(limits: ProcessorLimits, { recorded = [] }: StepMeasurement) {
  return {
    operations: operationRows(recorded, limits).map(roundedRow),
    limits: {
      ...limits,
      gigaflopsPerSecond: hundredths(limits.gigaflopsPerSecond),
      gigabytesPerSecond: hundredths(limits.gigabytesPerSecond),
    },
  };
}

/** @throws {OptionError} Where several processes do not go with the other options. */
function assertTogether({ backend, compared, operations }: StepCommand): void {
  const other = compared
    ? '--method with several methods'
    : backend && backend !== 'tensorflow'
      ? `--backend ${backend}`
      : operations
        ? '--operations'
        : undefined;
  if (other === undefined) return;
  throw new OptionError(`Several processes do not go with ${other}. Leave one of them out.`, {
    option: 'processes',
    value: other,
    accepted: 'one method, TensorFlow, and no --operations',
  });
}

function assertPrecision({ setup }: StepCommand, { backend, processor }: RuntimeInfo): void {
  const { precision, teacherPrecision } = setup;
  if (precision === 'float32' && teacherPrecision !== 'bfloat16') return;
  const problem = bfloat16Problem();
  if (problem === null) return;
  throw new OptionError(
    backend === 'tensorflow'
      ? `bfloat16 cannot be had: ${problem} (here: ${describeProcessor(processor)}). Use float32.`
      : `bfloat16 needs the backend tensorflow, but this is ${backend}. Use float32, or run npx g2d-native install.`,
    { option: 'precision', value: 'bfloat16', accepted: 'float32' },
  );
}

/** What `--json` prints. */
function toReport(
  { dataset, setup }: StepCommand,
  { backend, device }: { readonly backend: string; readonly device: string },
  { ms, peakRssMB, stages }: StepMeasurement,
) {
  const { batch, method, phase, teachers, scope, prioritized, precision, teacherPrecision, steps } = setup;
  return {
    dataset,
    batch,
    method,
    phase,
    teachers,
    ...(scope && { scope }),
    ...(prioritized && { prioritized }),
    precision,
    ...(teacherPrecision && { teacherPrecision }),
    backend,
    device,
    steps,
    ms: roundedTimes(ms),
    ...(stages && { stages: stages.map((stage) => ({ ...stage, ms: roundedTimes(stage.ms) })) }),
    peakRssMB: Math.round(peakRssMB),
  };
}

/** What `--json` prints of several methods. */
function comparedReport(
  { dataset, setup }: StepCommand,
  { methods, skipped, ...rest }: Parameters<typeof formatCompared>[1],
) {
  const { batch, precision, steps } = setup;
  const rounded = methods.map(({ ms, joint, ratio, stages, ...row }) => ({
    ...row,
    ms: hundredths(ms),
    joint: hundredths(joint),
    ratio: { median: hundredths(ratio.median), min: hundredths(ratio.min), max: hundredths(ratio.max) },
    ...(stages && { stages: stages.map((stage) => ({ ...stage, ms: roundedTimes(stage.ms) })) }),
  }));
  return { dataset, batch, precision, steps, ...rest, methods: rounded, skipped };
}

const roundedTimes = ({ min, median, p95 }: StepMeasurement['ms']) => ({
  min: hundredths(min),
  median: hundredths(median),
  p95: hundredths(p95),
});

/** Shares to a hundredth of a percent. */
const roundedRow = (row: OperationRow): OperationRow => ({
  operation: row.operation,
  ...(row.calls !== undefined && { calls: hundredths(row.calls) }),
  ms: hundredths(row.ms),
  share: hundredths(100 * row.share) / 100,
  ...(row.gigaflops !== undefined && { gigaflops: hundredths(row.gigaflops) }),
  ...(row.gigaflopsPerSecond !== undefined && { gigaflopsPerSecond: hundredths(row.gigaflopsPerSecond) }),
  ...(row.gigabytesPerSecond !== undefined && { gigabytesPerSecond: hundredths(row.gigabytesPerSecond) }),
  ...(row.ofLimit !== undefined && { ofLimit: hundredths(100 * row.ofLimit) / 100 }),
});

const hundredths = (value: number): number => Math.round(value * 100) / 100;
