import { OptionError, type FusionOptions } from '@g2d/core';

/**
 * The modalities that `widths` names, in its order.
 *
 * @throws {OptionError} If there is none, or a size is not a positive integer.
 */
export function checkedModalities<M extends string>({
  widths,
  classes,
}: Pick<FusionOptions<M>, 'widths' | 'classes'>): readonly M[] {
  const modalities = Object.keys(widths) as M[];
  if (modalities.length === 0) {
    throw new OptionError('`widths` names no modality; a fusion needs at least one.', {
      option: 'widths',
      value: widths,
      accepted: 'one width or more',
    });
  }
  for (const modality of modalities) assertSize(`widths.${modality}`, widths[modality]);
  assertSize('classes', classes);
  return modalities;
}

/**
 * The modalities of a fusion in which one acts on all others.
 *
 * @param acting The option that names the acting one, and its value; the first modality if that is `undefined`.
 * @throws {OptionError} If there is one modality only, or the option names another.
 */
export function checkedActing<M extends string>(
  fusion: string,
  options: Pick<FusionOptions<M>, 'widths' | 'classes'>,
  acting: { readonly option: string; readonly value: M | undefined },
): { readonly modalities: readonly M[]; readonly acting: M; readonly others: readonly M[] } {
  const modalities = checkedModalities(options);
  if (modalities.length === 1) {
    throw new OptionError(
      `${fusion} is for two modalities or more, but \`widths\` names ${modalities.join()} alone. Use late fusion for one.`,
      { option: 'widths', value: options.widths, accepted: 'two modalities or more' },
    );
  }
  const { option, value = modalities[0] as M } = acting;
  if (!modalities.includes(value)) {
    throw new OptionError(`\`${option}\` is "${value}", which is not one of ${modalities.join(', ')}.`, {
      option,
      value,
      accepted: modalities.join(', '),
    });
  }
  return { modalities, acting: value, others: modalities.filter((modality) => modality !== value) };
}

/** Throws unless an option is a positive integer. */
function assertSize(option: string, value: number): void {
  if (Number.isSafeInteger(value) && value > 0) return;
  throw new OptionError(`\`${option}\` is ${value}; expected a positive integer.`, {
    option,
    value,
    accepted: 'a positive integer',
  });
}
