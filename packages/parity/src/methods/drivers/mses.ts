import { mses } from '@g2d/methods';
import { studentLoss } from '@g2d/distill';
import { object, oneOf } from '../../strict-json.js';
import { count, defineDriver, type Tree } from '../method-case.js';
import { logitsTree, withRun } from '../method-run.js';
import { validatedOptions, validatedSettings, validatedSteps } from './validated.js';

/** The state of `mses`, as far as a case tells of it. */
interface State {
  readonly watches: Readonly<
    Record<
      string,
      { readonly stopped: boolean; readonly best?: { readonly epoch: number; readonly loss: number } }
    >
  >;
}

export const msesDriver = defineDriver({
  method: 'mses',
  options: object({
    ...validatedOptions,
    form: oneOf('released'),
    patience: count,
    bestInFirstEpoch: oneOf('no-reload', 'official code fails'),
  }),
  steps: validatedSteps,
  run({ options, ...given }) {
    const { patience, window, bestInFirstEpoch } = options;
    const { modalities } = given;
    const method = mses<string>({
      patience,
      reference: 'official',
      epochs: [window[0] + 1, window[1] + 1],
      bestInFirstEpoch: bestInFirstEpoch === 'no-reload' ? 'keep' : 'reload',
    });
    const last = given.steps.at(-1)!.epoch;
    const settings = validatedSettings(given.optimizer, options.epochs);
    const losses: number[][] = [];
    let ended = 'epochs';
    return withRun(given, method, settings, async (run) => {
      await run.begin();
      const { watches } = run.state as State;
      const by = (value: (m: string) => Tree): Tree =>
        Object.fromEntries(modalities.map((m) => [m, value(m)]));
      const steps: Tree[] = [];
      for (const entry of given.steps) {
        if (entry.do === 'train') {
          const found = await run.train(entry, entry.epoch + 1, ({ losses: { total }, outputs, step }) => ({
            losses: { total },
            logits: logitsTree(outputs),
            stopped: step.series['stopped'] as Readonly<Record<string, number>>,
            learningRate: run.training.optimizer.learningRate,
          }));
          const inWindow = window[0] <= entry.epoch && entry.epoch <= window[1];
          const { stopped, ...record } = found;
          const { after } = run.updates[0]!;
          steps.push({
            ...record,
            coefficients: by((m) => (inWindow && stopped[m] ? 0 : 1)),
            inWindow,
            gradNorms: run.norms(
              after,
              modalities.flatMap((m) => [`encoder.${m}`, `fusion.${m}`]),
            ),
            gradients: run.gradients(after),
          });
          continue;
        }
        const found = entry.batches.map((tag) =>
          run.predict(tag, ({ unimodalLogits }, labels) =>
            modalities.map((m) => studentLoss(labels, unimodalLogits[m]!).dataSync()[0]!),
          ),
        );
        const means = modalities.map((_, i) => found.reduce((sum, row) => sum + row[i]!, 0) / found.length);
        losses.push(means);
        const before = by((m) => watches[m]!.stopped) as Readonly<Record<string, boolean>>;
        const metrics = Object.fromEntries(modalities.map((m, i) => [m, { loss: means[i]! }]));
        const ends = await run.afterEpoch({ epoch: entry.epoch + 1, metrics: { validation: metrics } });
        if (ends) ended = 'all';
        const stopsNow = modalities.filter((m) => watches[m]!.stopped && !before[m]);
        const best = (m: string): number => watches[m]!.best!.epoch - 1;
        steps.push({
          epoch: entry.epoch,
          losses: by((m) => means[modalities.indexOf(m)]),
          watch: by((m) => {
            const i = modalities.indexOf(m);
            const raw = losses.at(-2)?.[i];
            return { smoothed: raw === undefined ? means[i] : 0.6 * raw + 0.4 * means[i]!, best: best(m) };
          }),
          stopped: by((m) => watches[m]!.stopped),
          restored: stopsNow.map(best).filter((of) => of > 0 || bestInFirstEpoch !== 'no-reload'),
        });
      }
      return { steps, ended, epochs: last + 1 };
    });
  },
});
