import { join } from 'node:path';
import { BlockFile } from './block-file.js';
import { NativeError } from './errors.js';
import { findWheel, type WheelRequest } from './find-wheel.js';
import { openHttp } from './http.js';
import { howToNameIndex, readIndexSettings, type IndexSettings } from './index-settings.js';
import { findPip, interruptedError, pipDownload } from './pip-download.js';
import type { Progress } from './progress.js';
import type { RunCommand } from './run-command.js';
import { downloadWheel, type DownloadedWheel } from './wheel-download.js';

/** What {@link download} is asked for. */
export interface Order extends WheelRequest {
  /** Size of the wheel; null when not known. */
  readonly bytes: number | null;
  /** Which entries are wanted, if those can be checked without the rest of the wheel; else null. */
  readonly select: ((path: string) => boolean) | null;
  /** Folder that disappears afterwards. */
  readonly staging: string;
  /** Folder that stays: what a stopped download has is kept there for the next one. */
  readonly kept: string;
}

/** What the work is done with. */
export interface DownloadTools {
  readonly env: NodeJS.ProcessEnv;
  readonly run: RunCommand;
  readonly signal: AbortSignal | undefined;
  readonly progress: Progress;
  readonly note: (line: string) => void;
  /** How long to wait before an index is asked a second time; tests do not wait. */
  readonly firstWaitMs?: number;
}

/** A wheel that is here. */
export interface Delivery {
  readonly file: string;
  /** False: it has holes where nothing was wanted. */
  readonly isWhole: boolean;
  /** Deletes it and all that was kept of it. */
  remove(): Promise<void>;
}

/**
 * Brings a wheel here: from the index that this user's settings name, without any program; else with pip, which has settings of its own, logins
 * that are kept elsewhere, and an index where none is named.
 *
 * @throws {NativeError} With the code of what went wrong; `G2D_NATIVE_NO_INDEX` where no index is named and there is no pip.
 */
export async function download(order: Order, tools: DownloadTools): Promise<Delivery> {
  const settings = readIndexSettings({ env: tools.env });
  const failure = settings && (await attempt(order, settings, tools));
  if (failure && !NativeError.isInstance(failure)) return failure;
  const pip = await findPip(tools.env, tools.run, tools.signal);
  if (tools.signal?.aborted) throw interruptedError();
  if (!pip) throw failure ?? noIndexError(order);
  if (failure) tools.note(`${failure.message.split('. ')[0]}: asking pip`);
  const { name, version, sha256, platform, arch, bytes } = order;
  tools.progress.stage(`Downloading ${name} ${version}`, bytes);
  const request = { name, version, sha256, platform, arch, into: order.staging, signal: tools.signal };
  const file = await pipDownload(pip, { ...request, onBytes: tools.progress.bytes }, tools.run);
  return { file, isWhole: true, remove: () => BlockFile.remove(file) };
}

// What pip may do better: it knows more logins and has an index of its own.
const forPip = new Set(['G2D_NATIVE_NO_NETWORK', 'G2D_NATIVE_NO_SUCH_WHEEL', 'G2D_NATIVE_BAD_INDEX']);

async function attempt(
  order: Order,
  settings: IndexSettings,
  { signal, progress, note, firstWaitMs = 500 }: DownloadTools,
): Promise<Delivery | NativeError> {
  const http = await openHttp(settings, signal, firstWaitMs);
  try {
    const title = `Downloading ${order.name} ${order.version}`;
    progress.stage(title, null);
    const offered = await findWheel(http, settings, order);
    const sha256 = order.sha256 ?? offered.sha256;
    if (!sha256)
      note(
        `The package index gives no hash of ${offered.filename}: its files are compared with its own RECORD alone`,
      );
    const wheel: DownloadedWheel = await downloadWheel(http, settings, {
      offered,
      sha256,
      into: order.kept,
      select: order.select,
      onStart: (bytes) => progress.stage(title, bytes),
      onBytes: progress.bytes,
    });
    return { file: wheel.file, isWhole: wheel.isWhole, remove: () => BlockFile.remove(wheel.file) };
  } catch (error) {
    if (signal?.aborted) throw interruptedError();
    if (NativeError.isInstance(error) && forPip.has(error.code)) return error;
    throw error;
  } finally {
    await http.close();
  }
}

function noIndexError({ name, version }: Order): NativeError {
  return new NativeError(
    'G2D_NATIVE_NO_INDEX',
    `No Python package index is named from which to take ${name} ${version}, and pip, which knows one, was not found: ${howToNameIndex}; or ` +
      'install pip (Debian and Ubuntu: apt install python3-pip; Fedora: dnf install python3-pip); or download the wheel elsewhere and give it with --wheel FILE.',
    { wheel: `${name} ${version}` },
  );
}

/** Where stopped downloads are kept. */
export const keptDownloads = (cache: string): string => join(cache, 'downloads');
