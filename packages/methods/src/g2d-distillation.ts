import { g2dLoss, type G2DLossOptions } from '@g2d/distill';
import type { Method } from '@g2d/trainer';

/**
 * Training with the loss of G2D: features and logits of the unimodal teachers are distilled into the student.
 *
 * @param options α, β, temperature and reduction of Eq. 4; β = 0 is UMT. The task is the training's.
 * @see G2D, Sec. 3.1, Eq. 4
 */
export function g2dDistillation<M extends string>(
  options: Omit<G2DLossOptions<NoInfer<M>>, 'task'> = {},
): Method<M> {
  return {
    name: 'g2d-loss',
    teachers: 'unimodal',
    loss: ({ task, batch: { labels, present }, teachers }, { logits, features }) => ({
      ...g2dLoss(
        { labels, student: { logits, features }, teachers, ...(present && { present }) },
        { ...options, task },
      ),
    }),
  };
}
