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
 * The two modalities of a fusion in which one acts on the other.
 *
 * @param acting The option that names the acting one, and its value; the first modality if that is `undefined`.
 * @throws {OptionError} If there are not exactly two modalities, or the option names another.
 */
export function checkedPair<M extends string>(
  fusion: string,
  options: Pick<FusionOptions<M>, 'widths' | 'classes'>,
  acting: { readonly option: string; readonly value: M | undefined },
): { readonly first: M; readonly second: M; readonly acting: M; readonly other: M } {
  const modalities = checkedModalities(options);
  const [first, second] = modalities;
  if (modalities.length !== 2 || first === undefined || second === undefined) {
    throw new OptionError(
      `${fusion} is for two modalities, but \`widths\` names ${modalities.join(', ')}. Use late, sum, concatenation or cross-attention fusion for more, late fusion for one.`,
      { option: 'widths', value: options.widths, accepted: 'two modalities' },
    );
  }
  const { option, value = first } = acting;
  if (!modalities.includes(value)) {
    throw new OptionError(`\`${option}\` is "${value}", which is not one of ${first}, ${second}.`, {
      option,
      value,
      accepted: `${first}, ${second}`,
    });
  }
  return { first, second, acting: value, other: value === first ? second : first };
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
