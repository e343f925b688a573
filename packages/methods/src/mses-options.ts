import { OptionError, type PerModality } from '@g2d/core';

/** Settings of `mses`. */
export interface MsesOptions<M extends string = string> {
  /** P ≥ 1: epochs without a better validation loss after which a modality stops. AGM's code: CREMA-D 80, AV-MNIST 10, UR-Funny 30. */
  readonly patience: number;
  /**
   * `'paper'` (default): unimodal losses too; a modality that stops gets its own best weights back and keeps them, the others go on as
   * they are. `'released'`: as the code that later papers ran: the fused loss alone, smoothed validation losses, and when a modality
   * stops the whole model and the optimizer go back to its best epoch; its gradients are 0 from then on.
   */
  readonly form?: 'paper' | 'released';
  /** w_m ≥ 0, weight of the unimodal losses of the paper's form, one for all or one for each modality. Default 1. */
  readonly weights?: number | PerModality<M, number>;
  /** `'released'` only: first and last epoch in which gradients of stopped modalities are 0, counted from 1. Default: all epochs. */
  readonly epochs?: readonly [first: number, last: number];
}

/** Throws unless what does not depend on the model is accepted: types do not stop plain JavaScript. */
export function assertMsesOptions({ patience, form = 'paper', weights, epochs }: MsesOptions): void {
  const refuse = (option: string, value: unknown, message: string, accepted: string): never => {
    throw new OptionError(message, { option, value, accepted });
  };
  if (!(Number.isInteger(patience) && patience >= 1)) {
    refuse(
      'patience',
      patience,
      `\`patience\` is ${patience}; it must be a whole number of epochs, at least 1. AGM's code has 80 for CREMA-D and 10 for AV-MNIST.`,
      'a whole number ≥ 1',
    );
  }
  if (form !== 'paper' && form !== 'released') {
    const message = `\`form\` is "${String(form)}"; it must be one of paper, released.`;
    refuse('form', form, message, 'paper, released');
  }
  const numbers = typeof weights === 'object' ? Object.values<number>(weights) : [weights ?? 1];
  if (!numbers.every((weight) => Number.isFinite(weight) && weight >= 0)) {
    const message = `\`weights\` are ${numbers.join(', ')}; they must be finite and at least 0.`;
    refuse('weights', weights, message, 'finite numbers ≥ 0');
  }
  const [own, other] = form === 'paper' ? ['epochs', 'released'] : ['weights', 'paper'];
  const misplaced = form === 'paper' ? epochs : weights;
  if (misplaced !== undefined) {
    const message = `\`${own}\` is a setting of the form "${other}", but the form is "${form}". Leave it out.`;
    refuse(own as string, misplaced, message, `nothing with form "${form}"`);
  }
  if (!epochs || (Number.isInteger(epochs[0]) && epochs[0] >= 1 && epochs[1] >= epochs[0])) return;
  const message = `\`epochs\` is [${epochs.join(', ')}]; expected the first and the last epoch, counted from 1.`;
  refuse('epochs', epochs, message, '[first, last], 1 ≤ first ≤ last');
}
