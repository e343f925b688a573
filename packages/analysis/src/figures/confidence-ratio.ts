import { checkKeys, OptionError } from '@g2d/core';

/**
 * How sure a student's head of a modality is of the true class, against the modality's teacher.
 *
 * ρ_student / ρ_teacher, with ρ = mean of softmax(u_m)[y] over the same samples (Eq. 5)
 *
 * For late fusion u_m is the head's own logits. Joint training fits their mean alone, so how sharp each of them is nobody asked for.
 *
 * @param confidences Mean confidences in [0, 1], such as `metrics.test.image.confidence` of a run's summary and of its teacher's.
 * @returns 1: as sure as the teacher. NaN where one of them is (no sample has the modality); Infinity over a teacher's 0.
 * @throws {OptionError} If a confidence is outside of [0, 1].
 * @example
 * confidenceRatio({ student: 0.3, teacher: 0.6 }); // 0.5
 * @see G2D, Fig. 6
 */
export function confidenceRatio(confidences: { readonly student: number; readonly teacher: number }): number {
  const { student, teacher } = checkKeys(confidences, { student: true, teacher: true }, 'confidenceRatio');
  for (const [option, value] of Object.entries({ student, teacher })) {
    if (Number.isNaN(value) || (value >= 0 && value <= 1)) continue;
    throw new OptionError(`\`${option}\` is ${value}; a confidence is a mean probability, in [0, 1].`, {
      option,
      value,
      accepted: 'a number in [0, 1]',
    });
  }
  return student / teacher;
}
