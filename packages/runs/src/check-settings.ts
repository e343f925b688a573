import { OptionError, type Method, ownValue } from '@g2d/core';
import { linearProbe, modalityPrioritization } from '@g2d/methods';
import type { RunConfig } from './config-schema.js';

/**
 * Checks what settings and methods are together.
 *
 * @returns What can be meant, but hardly is: sentences for the user.
 * @throws {OptionError} If they do not go together.
 */
export function checkSettings(config: RunConfig, methods: readonly Method<string>[]): readonly string[] {
  assertTogether(config, methods);
  return remarksOn(config, methods);
}

/** @throws {OptionError} If nothing would be trained, or a method cannot predict with what is stored. */
function assertTogether({ epochs, teacherOutputs }: RunConfig, methods: readonly Method<string>[]): void {
  if (epochs === 0 && !methods.some(({ forward }) => forward)) {
    throw new OptionError(
      '"epochs" is 0, so nothing would be trained; only a method that predicts by itself (ume) has none.',
      { option: 'epochs', value: 0, accepted: 'a whole number ≥ 1' },
    );
  }
  const predicting = methods.find(({ forward, needs }) => forward && needs?.teachers === 'unimodal');
  const learning = methods.find(({ needs }) => needs?.teachers === 'full');
  if (learning && teacherOutputs === 'stored') {
    throw new OptionError(
      `The method "${learning.name}" shows its teacher other inputs than the data's, whose outputs cannot be stored. Set "teacherOutputs" to "online".`,
      { option: 'teacherOutputs', value: 'stored', accepted: '"online"' },
    );
  }
  if (predicting && teacherOutputs === 'stored') {
    throw new OptionError(
      `The method "${predicting.name}" predicts with its teachers, whose stored outputs are of the training split alone. Set "teacherOutputs" to "online".`,
      { option: 'teacherOutputs', value: 'stored', accepted: '"online"' },
    );
  }
}

/** What can be meant, but hardly is. */
function remarksOn(
  { methodOptions, encoders, epochs, freeze, modalities = Object.keys(encoders) }: RunConfig,
  methods: readonly Method<string>[],
): string[] {
  const has = ({ name }: { readonly name: string }): boolean =>
    methods.some((method) => method.name === name);
  const smp = methodOptions[modalityPrioritization.name] as { readonly phaseEpochs?: readonly number[] };
  const before = (smp?.phaseEpochs ?? []).slice(0, -1).reduce((sum, phase) => sum + phase, 0);
  const never = has(modalityPrioritization) && before >= epochs;
  const random = has(linearProbe) && !Object.values(encoders).some(({ weights }) => weights);
  const raw = freeze.filter(
    (part) => modalities.includes(part) && ownValue(encoders, part) && !encoders[part]?.weights,
  );
  return [
    ...raw.map(
      (modality) =>
        `"freeze" has ${modality}, whose encoder keeps random weights: give "encoders.${modality}.weights", for example a run folder.`,
    ),
    ...(never
      ? [
          `The joint phase of SMP begins after epoch ${before}, and the run has ${epochs}: it is never reached.`,
        ]
      : []),
    ...(random
      ? [
          'The linear probe is on encoders with random weights: give "encoders.<modality>.weights", for example a run folder.',
        ]
      : []),
  ];
}
