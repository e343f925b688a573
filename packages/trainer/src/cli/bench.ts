import { describeProcessor, type RuntimeInfo } from '@g2d/native';
import { bfloat16Problem } from '@g2d/accelerate';
import { OptionError } from '@g2d/tensor-ops';
import { createProgress } from '../node/progress.js';
import { measureStep, type StepMeasurement } from '../bench/measure-step.js';
import { stepDatasets } from '../bench/step-datasets.js';
import { stepMethods } from '../bench/step-setup.js';
import { BACKENDS, parseStepCommand, PRECISIONS, SCOPES, type StepCommand } from './bench-options.js';
import type { Command } from './command.js';
import { formatStep } from './format-bench.js';

const help = `Usage: g2d bench step --dataset NAME [options]

Times one step of training at a dataset's shapes: what the training loop does from one batch to the next, with the
paper's encoders (ResNet-18; Transformers for sequences; MobileNetV2 and dense layers for MIS-ME), late fusion and SGD
(1e-3, momentum 0.9, weight decay 1e-4).
Inputs are random and lie ready in memory; no files are read. Progress goes to standard error.

Options:
  --dataset NAME      ${Object.keys(stepDatasets).join(', ')}
  --batch N           samples in a batch (default: 16)
  --method NAME       ${stepMethods.join(', ')} (default: joint)
  --phase NAME        prioritized: one modality trains; joint: all of them (default: prioritized for smp and g2d, which
                      alone have phases)
  --teachers KIND     cached: outputs that were computed before; online: frozen models of the same encoders, which run
                      in every step; none (default: cached for smp, g2d and umt, which need teachers)
  --scope SCOPE       what smp, g2d, ogm and ogm-ge modulate: ${SCOPES.join(', ')}
                      (default: conv; encoder for Transformers)
  --prioritized NAME  which modality trains in a prioritized phase, in every step: the teachers' logits are set so
                      that it ranks first (default: the one whose encoder costs most, which makes the slowest step:
                      ${defaultsOf()})
  --precision P       ${PRECISIONS.join(', ')}, of the student's convolutions (default: float32)
  --teacher-precision P
                      the same, of online teachers
  --steps N           steps that are timed (default: 10)
  --warmup N          steps before them, which are not (default: 2)
  --json              one JSON object: {"dataset", "batch", "method", "phase", "teachers", "backend", "device", "ms":
                      {"min", "median", "p95"}, "peakRssMB"}, and of the options above those that apply
  --backend NAME      ${BACKENDS.join(', ')} (default: the fastest one that is present)
  --help              this text

Memory is the largest resident set of the whole process in MB of 2^20 bytes.

Exit code: 0; 2 for an error, such as options that do not go together.

Example: g2d bench step --dataset crema-d --batch 16 --method g2d --phase prioritized --scope encoder
`;

function defaultsOf(): string {
  return Object.entries(stepDatasets)
    .map(([name, { costliest }]) => `${name} ${costliest}`)
    .join(', ');
}

/** `g2d bench`. */
export const bench: Command = {
  help,
  async run(args, { out }) {
    const command = parseStepCommand(args);
    const { setup, backend } = command;
    const { loadTensorFlow, runtimeInfo } = await import('@g2d/native');
    await loadTensorFlow({ ...(backend && { backend }) });
    const runtime = runtimeInfo() as NonNullable<ReturnType<typeof runtimeInfo>>;
    assertPrecision(command, runtime);

    const progress = createProgress(setup.warmup + setup.steps);
    let measurement: StepMeasurement;
    try {
      progress.stage(`${setup.dataset.title}: ${setup.warmup + setup.steps} steps`);
      measurement = await measureStep(setup, () => progress.advance(1));
    } finally {
      progress.stop();
    }
    const report = toReport(command, runtime, measurement);
    out(command.json ? `${JSON.stringify(report)}\n` : formatStep(setup, report));
    return 0;
  },
};

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
  { ms, peakRssMB }: StepMeasurement,
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
    ms: { min: hundredths(ms.min), median: hundredths(ms.median), p95: hundredths(ms.p95) },
    peakRssMB: Math.round(peakRssMB),
  };
}

const hundredths = (value: number): number => Math.round(value * 100) / 100;
