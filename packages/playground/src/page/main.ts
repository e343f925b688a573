// The page: settings on the left, curves in the middle, answers on the right, and the trainings that they show.
import 'uplot/dist/uPlot.min.css';
import { formatNumber } from '@g2d/core';
import catalog from '@g2d/playground/catalog';
import { methodOf, type CatalogMethod } from '../catalog.js';
import type {
  BackendReport,
  BackendTrial,
  EpochReport,
  News,
  Predictions,
  TeacherReport,
} from '../protocol.js';
import { formatAddress, parseAddress, type Settings } from '../settings.js';
import { confusionOf, largestMistake } from './answers.js';
import { commandsFor } from './commands.js';
import { confusionTable, type Cell } from './confusion.js';
import { settingsForm } from './controls.js';
import { curves, type Curves } from './curves.js';
import { byId, element } from './element.js';
import { findings } from './findings.js';
import { isolate } from './isolation.js';
import { placeSettings } from './place-settings.js';
import { dropLater, later } from './render-queue.js';
import { sampleCards } from './samples.js';
import { startSession, type Session } from './session.js';
import { showConfidence, showWho } from './who.js';

/** One of the two trainings, and what is known of it. */
interface Lane {
  readonly method: CatalogMethod;
  readonly curves: Curves;
  session: Session | undefined;
  history: EpochReport[];
  finished: boolean;
  /** Of the training itself, all test pairs. */
  final: string | undefined;
}

const LABELS = { webgpu: 'WebGPU', webgl: 'WebGL', wasm: 'WebAssembly', cpu: 'plain JavaScript' } as const;

let settings: Settings;
let lanes: Lane[] = [];
let state: 'ready' | 'running' | 'paused' | 'finished' | 'failed' = 'ready';
let predictions: Predictions | undefined;
let teachers: TeacherReport | undefined;
let cell: Cell = { head: 'fused', label: 0, answer: 0 };
/** Whether somebody has opened a cell: from then on the page chooses none by itself. */
let chosen = false;
let progress = '';

const showForm = settingsForm(catalog, (next) => {
  settings = next;
  history.replaceState(null, '', formatAddress(next, catalog) || location.pathname + location.search);
  restart(false);
});
const showConfusion = confusionTable(byId('confusion'), (opened) => {
  cell = opened;
  chosen = true;
  showAnswers();
});
const cards = sampleCards(byId('samples'), (indices) =>
  lanes[0]?.session?.send({ type: 'samples', indices }),
);

function note(text: string): void {
  const close = element('button', { type: 'button', 'aria-label': 'Close this note' }, '×');
  const line = element('p', { class: 'note' }, text, close);
  close.addEventListener('click', () => line.remove());
  const notes = byId('notes');
  // Two trainings may say the same.
  if ([...notes.children].some((other) => other.textContent === line.textContent)) return;
  notes.append(line);
  while (notes.childElementCount > 3) notes.firstElementChild?.remove();
}

/** Ends what runs, and makes everything ready for the present settings. */
function restart(run: boolean): void {
  dropLater();
  for (const { session, curves } of lanes) {
    session?.end();
    curves.destroy();
  }
  const method = methodOf(catalog, settings.method) as CatalogMethod;
  const joint = methodOf(catalog, 'joint') as CatalogMethod;
  const beside = settings.beside && method !== joint;
  lanes = [method, ...(beside ? [joint] : [])].map((one) => ({
    method: one,
    curves: curves(one === joint ? 'Joint training' : one.label, settings.epochs),
    session: undefined,
    history: [],
    finished: false,
    final: undefined,
  }));
  byId('curves').replaceChildren(...lanes.map(({ curves }) => curves.root));
  predictions = undefined;
  teachers = undefined;
  chosen = false;
  cards.forget();
  progress = 'Nothing is trained yet.';
  byId('backend').textContent = '';
  state = 'ready';
  byId('commands').textContent = commandsFor(settings, method).join('\n');
  for (const lane of lanes) lane.curves.show([], undefined);
  showAll();
  if (run) start(false);
}

function start(paused: boolean): void {
  state = paused ? 'paused' : 'running';
  const [first] = lanes;
  const threads = Math.max(1, Math.floor(navigator.hardwareConcurrency / lanes.length));
  if (!first) return;
  // The second begins once it is known where: two that are measured at once would slow each other down.
  first.session = startSession({ settings, method: first.method, threads, paused }, (news) => {
    if (news.type === 'backend') {
      showBackend(news.report);
      const second = lanes[1];
      if (second && !second.session) {
        second.session = startSession(
          {
            settings: {
              ...settings,
              method: second.method.name,
              options: {},
              backend: news.report.chosen.backend,
            },
            method: second.method,
            threads: news.report.chosen.threads ?? 1,
            paused: state === 'paused',
          },
          (other) => hear(second, other),
        );
      }
    }
    hear(first, news);
  });
  showState();
}

function hear(lane: Lane, news: News): void {
  const isFirst = lane === lanes[0];
  switch (news.type) {
    case 'progress':
      if (isFirst) showProgress(news.text, news.share);
      break;
    case 'note':
      note(news.text);
      break;
    case 'teachers':
      teachers = news.report;
      for (const each of lanes) each.curves.show(each.history, teachers);
      showConfidence(byId('confidence'), teachers.confidence);
      showFindings();
      break;
    case 'step':
      if (isFirst)
        showProgress(
          `Epoch ${news.epoch} of ${settings.epochs}, step ${news.step} of ${news.steps}.`,
          (news.epoch - 1 + news.step / news.steps) / settings.epochs,
        );
      break;
    case 'epoch':
      lane.history = [...lane.history.slice(0, news.report.epoch - 1), news.report];
      later(`curves of ${lane.method.name}`, () => lane.curves.show(lane.history, teachers));
      if (isFirst) {
        predictions = news.predictions;
        later('who', () => showWho(byId('who'), lane.history, settings.epochs));
        later('answers', showAnswers);
      }
      later('findings', showFindings);
      break;
    case 'samples':
      cards.add(news.samples);
      break;
    case 'finished':
      lane.finished = true;
      lane.final = `${lane.method.name === 'joint' ? 'Joint training' : lane.method.label}: ${formatNumber(news.accuracy.fused)} % of all 2,000 test pairs (sound ${formatNumber(news.accuracy.audio)} %, picture ${formatNumber(news.accuracy.image)} %), ${formatNumber(news.seconds, 0)} s`;
      if (lanes.every(({ finished }) => finished)) state = 'finished';
      showFinal();
      showState();
      break;
    case 'failed':
      if (isFirst) state = 'failed';
      note(`${lane.method.label} stopped: ${news.text}`);
      if (isFirst) showProgress('Stopped.');
      showState();
      break;
  }
}

function showBackend({ chosen: best, trials, simd }: BackendReport): void {
  const name = ({ backend, threads }: BackendTrial): string =>
    threads === undefined
      ? LABELS[backend]
      : `${LABELS[backend]} (${threads === 1 ? '1 thread' : `${threads} threads`}${simd ? '' : ', no SIMD: slow'})`;
  const words = trials.map((trial) =>
    trial.milliseconds === undefined
      ? `${LABELS[trial.backend]} ${trial.problem}`
      : `${name(trial)} ${formatNumber(trial.milliseconds, 0)} ms a step`,
  );
  byId('backend').textContent = `Computed by ${name(best)}. Measured: ${words.join('; ')}.`;
}

function showFinal(): void {
  const finals = lanes.flatMap(({ final }) => final ?? []);
  if (finals.length > 0) showProgress(`${finals.join('. ')}.`, state === 'finished' ? 1 : undefined);
}

function showProgress(text: string, share?: number): void {
  progress = text;
  byId('progress').textContent = text;
  if (share !== undefined) byId<HTMLProgressElement>('share').value = share;
}

function showState(): void {
  byId('start').textContent =
    state === 'running'
      ? 'Pause'
      : state === 'paused'
        ? 'Go on'
        : state === 'ready'
          ? 'Start'
          : 'Start again';
  byId<HTMLButtonElement>('one-epoch').disabled = state === 'finished' || state === 'failed';
  document.body.dataset['state'] = state;
}

function showFindings(): void {
  const [first, second] = lanes;
  if (!first) return;
  const sentences = findings({
    label: first.method.label,
    isJoint: first.method.name === 'joint',
    epochs: settings.epochs,
    history: first.history,
    joint: second?.history ?? [],
    teachers,
  });
  const all =
    sentences.length > 0 ? sentences : ['The sentences here follow from the numbers, once there are some.'];
  byId('findings').replaceChildren(...all.map((sentence) => element('li', {}, unbroken(sentence))));
}

/** A number stays with its sign. */
const unbroken = (text: string): string => text.replaceAll(' %', '\u00a0%');

function showAnswers(): void {
  if (predictions && !chosen)
    cell = { head: cell.head, ...largestMistake(confusionOf(predictions, cell.head)) };
  showConfusion(predictions, cell);
  later('cards', () => cards.show(predictions, cell));
}

function showAll(): void {
  showProgress(progress, 0);
  showState();
  showFindings();
  showAnswers();
  showWho(byId('who'), [], settings.epochs);
  showConfidence(byId('confidence'), undefined);
}

function order(type: 'pause' | 'resume' | 'epoch'): void {
  for (const { session, finished } of lanes) if (!finished) session?.send({ type });
}

byId('start').addEventListener('click', () => {
  if (state === 'running') {
    state = 'paused';
    order('pause');
  } else if (state === 'paused') {
    state = 'running';
    order('resume');
  } else if (state === 'ready') start(false);
  else restart(true);
  showState();
});
byId('one-epoch').addEventListener('click', () => {
  if (state === 'ready') start(true);
  if (state === 'running') order('pause');
  state = 'paused';
  order('epoch');
  showState();
});
byId('restart').addEventListener('click', () => restart(state !== 'ready'));
byId('settings').addEventListener('submit', (event) => event.preventDefault());

async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    byId('copied').textContent = `${what} copied.`;
  } catch {
    byId('copied').textContent =
      'The browser does not let this page copy; select the text and copy it yourself.';
  }
}
byId('copy').addEventListener('click', () => void copy(byId('commands').textContent ?? '', 'Commands'));
byId('copy-address').addEventListener('click', () => void copy(location.href, 'Address'));

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  for (const lane of lanes) lane.curves.restyle();
});

function readAddress(): void {
  const parsed = parseAddress(location.hash, catalog);
  settings = parsed.settings;
  for (const problem of parsed.problems) note(problem);
  showForm(settings);
  restart(false);
}
addEventListener('hashchange', () => {
  // A place on this page is no setting.
  if (!document.getElementById(location.hash.slice(1))) readAddress();
});

placeSettings();
const threadless = await isolate();
readAddress();
if (threadless !== undefined) note(threadless);
