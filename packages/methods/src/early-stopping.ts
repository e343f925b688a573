/** How the end of a modality is found. */
export interface StoppingRule {
  /** P: so many epochs without a better loss. */
  readonly patience: number;
  /**
   * `'paper'`: the loss itself, and a modality stops in the P-th epoch after its best one. `'official'`: losses smoothed over two
   * epochs, and it stops in the epoch after that.
   */
  readonly reference: 'paper' | 'official';
}

/** What is known of one modality's validation loss; plain data, for checkpoints. */
export interface LossWatch {
  /** Of the last epoch, before smoothing. */
  readonly raw?: number;
  /** The lowest loss so far, and in which epoch. */
  readonly best?: { readonly epoch: number; readonly loss: number };
  readonly stopped: boolean;
}

/**
 * The watch after one more epoch.
 *
 * `'official'`: L̄(e) = 0.6 L(e − 1) + 0.4 L(e), L̄ = L in the first epoch. It mixes two losses, it is no running average.
 *
 * @param watch Before the epoch; `{ stopped: false }` in the beginning. One that has stopped stays so.
 * @param epoch e, counted from 1.
 * @param loss L(e): the modality's loss on the validation split.
 * @example
 * watchLoss({ stopped: false }, { epoch: 1, loss: 2 }, { patience: 3, reference: 'paper' }); // { raw: 2, best: { epoch: 1, loss: 2 }, … }
 * @see Fujimori et al., Modality-Specific Learning Rate Control for Multimodal Classification (2019); `'official'`: code of AGM (ICCV 2023)
 */
export function watchLoss(
  watch: LossWatch,
  { epoch, loss: raw }: { readonly epoch: number; readonly loss: number },
  { patience, reference }: StoppingRule,
): LossWatch {
  // The official code goes on watching what it has stopped, which changes nothing but the log.
  if (watch.stopped && reference === 'paper') return watch;
  const loss = reference === 'official' && watch.raw !== undefined ? 0.6 * watch.raw + 0.4 * raw : raw;
  const best = watch.best && watch.best.loss <= loss ? watch.best : { epoch, loss };
  const since = epoch - best.epoch;
  return {
    raw,
    best,
    stopped: watch.stopped || (reference === 'paper' ? since >= patience : since > patience),
  };
}
