import { z } from 'zod';
import { MOST_PROCESSES } from '../processes/launched.js';

const settings = z.record(z.string(), z.unknown());

const override = z.strictObject({
  when: settings.describe(
    'Key of the grid → the value of the runs that are meant; of "dataset" its path, or the name of its folder.',
  ),
  set: settings.describe('Their settings: key with dots → value.'),
});

/** Options of sbatch that a sweep gives itself, long and short. */
const OWN =
  /^(?:--(?:array|dependency|kill-on-invalid-dep|comment|parsable|output|open-mode|chdir|wrap|job-name)\b|-[adoDJ])/;

/** How runs are given to Slurm. */
export const slurmSchema = z.strictObject({
  options: z
    .array(
      z
        .string()
        .regex(/^-(?:-[a-z][\w-]*(?:=.*)?|[A-Za-z]\S*)$/, {
          error: 'an option of sbatch, such as "--partition=gpu"',
        })
        .refine((option) => !OWN.test(option), { error: 'an option that g2d does not give itself' }),
    )
    .default([])
    .describe('Options of sbatch, such as "--partition=gpu", "--gres=gpu:1", "--time=24:00:00".'),
  setup: z
    .array(z.string())
    .default([])
    .describe('Lines of bash before each run, such as "module load cuda".'),
  atOnce: z
    .int()
    .min(1)
    .optional()
    .describe('How many runs of one array are trained at a time. Default: all.'),
});

/** How runs are given to Kubernetes. */
const kubernetesSchema = z.strictObject({
  image: z.string().min(1).describe('The image of the containers: with Node, g2d and what the runs need.'),
  claim: z
    .string()
    .min(1)
    .describe('The PersistentVolumeClaim of the folder in which g2d is started: configurations, data, runs.'),
  mountPath: z
    .string()
    .startsWith('/')
    .optional()
    .describe('Where containers have it. Default: where it is on this machine.'),
  command: z.array(z.string()).min(1).default(['npx', 'g2d']).describe('What starts g2d in the image.'),
  parallelism: z.int().min(1).default(20).describe('How many runs of one Job are trained at a time.'),
  resources: settings.default({}).describe('Of a container, such as { "limits": { "nvidia.com/gpu": 1 } }.'),
  jobset: z
    .boolean()
    .default(false)
    .describe(
      'JobSets, in which students begin by themselves when their teachers are finished. Needs the JobSet controller.',
    ),
});

/** A sweep's file: many runs that differ in a few settings. */
export const sweepSchema = z.strictObject({
  $schema: z.string().optional(),
  name: z
    .string()
    .regex(/^[\w.+-]+$/, { error: 'letters, digits and . + - _' })
    .describe('What the sweep is called.'),
  note: z.string().optional().describe('For whoever reads the file.'),
  base: z
    .string()
    .optional()
    .describe(
      'The configuration (as of g2d train) that all runs begin with; its path is relative to this file. Left out if the grid has "dataset".',
    ),
  out: z
    .string()
    .optional()
    .describe(
      'The folder of the run folders; relative to the folder in which g2d is started. Default: runs/NAME.',
    ),
  set: settings
    .default({})
    .describe(
      'Settings of every run, above the base: key with dots → value, such as "optimizer.learningRate".',
    ),
  grid: z
    .record(z.string(), z.array(z.unknown()).min(1))
    .default({})
    .describe(
      'Key of the configuration, with dots → its values. There is a run for every combination, the first key the slowest. "dataset": paths of configurations, each in a folder of its own name, in place of "base". "case": names of "cases".',
    ),
  cases: z
    .record(z.string().min(1), settings)
    .default({})
    .describe(
      'Name → settings that go together, key with dots → value, such as { "method": "g2d", "fusion": { "type": "sum" } }. The grid\'s "case" names those that are trained. They stand above overrides that name no case.',
    ),
  overrides: z
    .array(override)
    .default([])
    .describe(
      'Settings of some of the runs, above the grid, a later one above an earlier one; those whose "when" names a case stand above the case.',
    ),
  protocols: z
    .record(z.string().min(1), z.array(override))
    .optional()
    .describe(
      'Name → further overrides, behind the others: settings in which ways to report differ, such as the epoch that is selected. One of them holds, see "protocol".',
    ),
  protocol: z.string().optional().describe('Which of "protocols" holds. Default: the first.'),
  exclude: z
    .array(settings)
    .default([])
    .describe(
      'Combinations that are left out: key of the grid → value, all of which must fit; of "dataset" its path, or the name of its folder.',
    ),
  teachers: z
    .union([
      z.strictObject({
        set: settings
          .default({})
          .describe('Settings of the teachers alone: key with dots → value, such as "select".'),
        full: z
          .record(z.string(), settings)
          .optional()
          .describe(
            'For methods that learn from a teacher of all modalities: method → settings of its teacher, above "set" and what "overrides" give the method; it is trained for this method alone. Such as { "tate": { "method": "tate", "methodOptions.tate": { "guide": "none" } } }. Others share one that is trained jointly.',
          ),
      }),
      z.literal('ready'),
    ])
    .prefault({})
    .describe(
      'Each modality is trained alone, once for each seed and setting that it depends on, for the methods that need teachers. "ready": the base names finished ones.',
    ),
  references: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(/^[\w.+-]+$/, { error: 'letters, digits and . + - _' })
          .describe('What tables call it.'),
        set: settings.describe('Its settings, such as { "method": "ume", "epochs": 0 }.'),
      }),
    )
    .default([])
    .describe('What the methods are compared with: a further run for each set of teachers.'),
  retries: z
    .int()
    .min(0)
    .max(100)
    .default(1)
    .describe(
      'How often a run is tried again that failed for a reason which is no mistake of the user’s, such as a process that was killed.',
    ),
  processes: z
    .int()
    .min(1)
    .max(MOST_PROCESSES)
    .default(1)
    .describe(
      'How many processes train each run together; they share each batch. It changes no setting of a run: with another number the same runs go on.',
    ),
  slurm: slurmSchema.prefault({}).describe('Of --engine slurm.'),
  kubernetes: kubernetesSchema.optional().describe('Of --engine kubernetes.'),
});

/** A sweep's file with every default in its place. */
export type SweepFile = z.output<typeof sweepSchema>;

/** How runs of a sweep are given to a queue, tried again, and by how many processes each is trained. */
export type SweepQueues = Pick<SweepFile, 'retries' | 'slurm'> &
  Partial<Pick<SweepFile, 'kubernetes' | 'processes'>>;

/** The file as a JSON Schema, for editors. */
export const sweepJsonSchema = (): z.core.JSONSchema.BaseSchema => ({
  ...z.toJSONSchema(sweepSchema, { io: 'input' }),
  title: 'A sweep of G2D: many runs',
});
