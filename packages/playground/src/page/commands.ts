// The same experiment on somebody's own machine, as commands of the repository.
import { type CatalogMethod } from '../catalog.js';
import { DEFAULTS, methodOptions, type Settings } from '../settings.js';

const EXAMPLE = 'examples/av-mnist-small/small.json';

/** Commands, one a line, for a clone of the repository. */
export function commandsFor(settings: Settings, method: CatalogMethod): readonly string[] {
  const { epochs, seed, signalToNoise, imageComponents, beside } = settings;
  const folder = `runs/playground`;
  const changes: [string, unknown][] = [
    ...(epochs === DEFAULTS.epochs
      ? []
      : ([
          ['epochs', epochs],
          ['optimizer.schedule', { type: 'step', after: [Math.max(1, Math.round(0.7 * epochs))] }],
        ] as [string, unknown][])),
    ...(imageComponents === DEFAULTS.imageComponents
      ? []
      : ([['dataset.imageComponents', imageComponents]] as [string, unknown][])),
    ...(signalToNoise === DEFAULTS.signalToNoise
      ? []
      : ([['dataset.signalToNoise', signalToNoise]] as [string, unknown][])),
  ];
  const command = (own: readonly (readonly [string, unknown])[], ...rest: readonly string[]): string =>
    [
      `npx g2d train ${EXAMPLE}`,
      ...rest,
      `--seed ${seed}`,
      ...[...changes, ...own].map(([key, value]) => `--set ${quoted(`${key}=${shown(value)}`)}`),
    ].join(' ');
  const teachers = ['audio', 'image'] as const;
  const own = Object.entries(methodOptions(settings, method)).map(
    ([part, values]) => [`methodOptions.${part}`, values] as const,
  );
  const widths = Object.entries(method.widths).map(
    ([modality, width]) => [`encoders.${modality}.width`, width] as const,
  );
  return [
    'npm ci && npm run tensorflow',
    ...(method.teachers
      ? teachers.map((modality) =>
          command(
            [
              ['select', 'validation-best'],
              ['evaluation.every', 10],
            ],
            `--teacher ${modality} --out ${folder}/teacher-${modality}`,
          ),
        )
      : []),
    command(
      [
        ...(method.validation ? ([['evaluation.every', 1]] as const) : []),
        ['methodOptions', {}],
        ...own,
        ...widths,
        ...(method.teachers
          ? teachers.map((modality) => [`teachers.${modality}`, `${folder}/teacher-${modality}`] as const)
          : ([['teachers', {}]] as const)),
      ],
      `--method ${method.name} --out ${folder}/${method.name}`,
    ),
    ...(beside && method.name !== 'joint'
      ? [
          command(
            [
              ['methodOptions', {}],
              ['teachers', {}],
            ],
            `--method joint --out ${folder}/joint`,
          ),
        ]
      : []),
    `npx g2d compare ${folder}/* --out ${folder}/compare.html`,
  ];
}

const shown = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** For a shell, where it is needed. */
const quoted = (text: string): string =>
  /^[\w=./,-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
