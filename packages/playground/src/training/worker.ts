// The worker of one training: chooses a backend, loads data and teachers, trains, and tells the page.
import './yield.js';
import * as tf from '@tensorflow/tfjs-core';
import type { TrainingState } from '@g2d/trainer';
import type { BackendTrial, News, Order } from '../protocol.js';
import { isUnchangedData, type Settings } from '../settings.js';
import { chooseBackend, LABELS } from './backends.js';
import { loadData, loadTeachers } from './load.js';
import { MODALITIES } from './names.js';
import { reportTeachers, trainStudent, type Splits } from './student.js';
import { teachersFrom, trainTeacher, type TeacherWeights } from './teachers.js';

type Start = Extract<Order, { type: 'start' }>;

/** As much of a worker as this one needs. */
interface WorkerScope {
  postMessage(news: News, transfer?: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent<Order>) => void): void;
}
const scope = globalThis as unknown as WorkerScope;
const tell = (news: News, transfer: Transferable[] = []): void => scope.postMessage(news, transfer);

/** Opens and shuts between steps. */
const gate = {
  paused: false,
  /** Goes on to the end of the epoch, and pauses again. */
  untilEpoch: false,
  waiting: [] as (() => void)[],
  open(): void {
    for (const go of this.waiting.splice(0)) go();
  },
  async pass(): Promise<void> {
    while (this.paused && !this.untilEpoch) await new Promise<void>((go) => this.waiting.push(go));
  },
};

let splits: Splits | undefined;

scope.addEventListener('message', ({ data: order }) => {
  switch (order.type) {
    case 'start':
      gate.paused = order.paused;
      run(order).catch((error: unknown) => {
        tell({ type: 'failed', text: error instanceof Error ? error.message : String(error) });
      });
      break;
    case 'pause':
      gate.paused = true;
      gate.untilEpoch = false;
      break;
    case 'resume':
      gate.paused = false;
      gate.open();
      break;
    case 'epoch':
      gate.untilEpoch = true;
      gate.open();
      break;
    case 'samples':
      void showSamples(order.indices);
      break;
  }
});

async function run({ settings, method, threads, base }: Start): Promise<void> {
  const started = performance.now();
  const progress = (text: string, share?: number): void =>
    tell({ type: 'progress', text, ...(share !== undefined && { share }) });
  progress('Loading pictures and sounds …');
  const loading = loadData(base, settings);
  // Looked at below.
  loading.catch(() => undefined);
  const failed: BackendTrial['backend'][] = [];
  let resume: TrainingState | undefined;
  let weights: TeacherWeights | undefined;
  for (;;) {
    const report = await chooseBackend(settings.backend, { threads, without: failed, progress });
    tell({ type: 'backend', report });
    for (const text of report.problems) tell({ type: 'note', text });
    const chosen = report.chosen.backend;
    const lost = watchContext();
    try {
      progress('Mixing voices and noise, reducing pictures …');
      splits = await loading;
      weights ??= method.teachers ? await teacherWeights(settings, { base, splits, progress }) : undefined;
      const teachers = weights && teachersFrom(weights);
      try {
        if (teachers) tell({ type: 'teachers', report: await reportTeachers(teachers.models, splits) });
        progress('Training …');
        const accuracy = await trainStudent({
          settings,
          method,
          splits,
          teachers: teachers?.models,
          resume,
          watch: {
            async step(place) {
              tell({ type: 'step', ...place });
              lost.check();
              await gate.pass();
            },
            epoch(report, predictions, state) {
              // What a lost context gives is not worth going on from.
              lost.check();
              resume = state;
              gate.untilEpoch = false;
              tell(
                { type: 'epoch', report, predictions },
                Object.values(predictions.probabilities).map(({ buffer }) => buffer as ArrayBuffer),
              );
            },
          },
        });
        if (accuracy) tell({ type: 'finished', accuracy, seconds: (performance.now() - started) / 1000 });
        return;
      } finally {
        teachers?.dispose();
      }
    } catch (error) {
      const isGraphics = chosen === 'webgl' || chosen === 'webgpu';
      if (!isGraphics || !(lost.happened() || isLoss(error))) throw error;
      failed.push(chosen);
      tell({
        type: 'note',
        text: `The browser took ${LABELS[chosen]} away; the training goes on with what is left, from ${resume ? `the end of epoch ${resume.position.epoch - 1}` : 'its beginning'}.`,
      });
      tf.removeBackend(chosen);
    }
  }
}

/** The teachers: loaded where they know these data and the page is to load them, otherwise trained. */
async function teacherWeights(
  settings: Settings,
  {
    base,
    splits: data,
    progress,
  }: {
    readonly base: string;
    readonly splits: Splits;
    readonly progress: (text: string, share?: number) => void;
  },
): Promise<TeacherWeights> {
  if (settings.teachers === 'loaded' && isUnchangedData(settings)) return loadTeachers(base);
  const weights = {};
  const names = { audio: 'the sound', image: 'the picture' };
  for (const modality of MODALITIES) {
    const own = await trainTeacher(modality, {
      data,
      seed: settings.seed,
      epochs: settings.epochs,
      async afterStep({ done, total }) {
        progress(`Training the teacher of ${names[modality]} …`, done / total);
        await gate.pass();
      },
    });
    Object.assign(weights, own);
  }
  return weights;
}

/** Notices that the browser has taken WebGL's context or WebGPU's device away. */
function watchContext(): { happened(): boolean; check(): void } {
  let gone = false;
  const backend = tf.backend() as {
    readonly gpgpu?: { readonly gl: WebGL2RenderingContext };
    readonly device?: { readonly lost: Promise<{ readonly reason?: string }> };
  };
  const canvas = backend.gpgpu?.gl.canvas;
  canvas?.addEventListener('webglcontextlost', () => (gone = true));
  void backend.device?.lost.then(() => (gone = true));
  const happened = (): boolean => gone || backend.gpgpu?.gl.isContextLost() === true;
  return {
    happened,
    check() {
      if (happened()) throw new Error('The context is lost.');
    },
  };
}

const isLoss = (error: unknown): boolean =>
  error instanceof Error && /context|device/i.test(error.message) && /lost|destroyed/i.test(error.message);

async function showSamples(indices: readonly number[]): Promise<void> {
  if (!splits) return;
  const { test } = splits;
  const samples = await Promise.all(
    indices.map(async (index) => {
      const { inputs, label } = await test.sample(index);
      return {
        index,
        label: label as number,
        image: inputs.image,
        spectrogram: inputs.audio,
        sound: test.sound(index),
      };
    }),
  );
  tell({ type: 'samples', samples });
}
