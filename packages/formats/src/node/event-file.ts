import { closeSync, fsyncSync, openSync, readdirSync, writeSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { checkKeys, G2DError, OptionError } from '@g2d/core';
import { makeFolder } from './files.js';

/** Numbers of a run over its steps, in the form that TensorBoard opens. */
export interface EventFile {
  readonly path: string;
  /**
   * Adds one point to a curve.
   *
   * @param tag Name of the curve; TensorBoard groups curves by what stands before the first `/`.
   * @param value Stored as float32. NaN and infinities are allowed: TensorBoard marks them.
   * @param step A whole number of at least 0, for example the epoch.
   * @param wallTime Seconds since 1970. Default: now.
   */
  scalar(tag: string, value: number, step: number, wallTime?: number): void;
  /** Adds a text in Markdown, for example a configuration. */
  text(tag: string, markdown: string, step: number, wallTime?: number): void;
  /** Writes what was added and waits until it is on disk: do it before a checkpoint is saved. */
  flush(): void;
  /** Writes what is left, and lets go of the file. */
  close(): void;
}

/** TFRecord framing: byte length, its checksum, the bytes, their checksum. */
const RECORD_OVERHEAD = 16;
/** Held in memory until `flush`, or until this many bytes. */
const BUFFER_BYTES = 65_536;
const FILE_NAME = /^events\.out\.tfevents\.(\d{10})\./;

/**
 * Opens a new TensorBoard event file in a folder.
 *
 * Every process writes a file of its own, so the torn record that a killed process leaves at the end of its file stays
 * the end of that file, where TensorBoard expects it. The new file's name sorts behind all others, whatever the clock
 * says, and begins with a session start at `fromStep`: TensorBoard drops the points that earlier files hold from there
 * on. (Its newer data server drops them curve by curve, as each is written again.) A killed and resumed run is shown
 * as if it had never stopped.
 *
 * @param folder Made if missing. One run; TensorBoard shows each sub-folder as a run of its own.
 * @param options `fromStep`: the first step that this process writes: 0 (default) for a new run, the step after the
 * checkpoint for a resumed one.
 * @throws {OptionError} If a step is not a whole number of at least 0.
 * @throws {G2DError} With code `G2D_RUN_FOLDER` if the file cannot be written. What was added is kept and tried again
 * by the next `flush`.
 * @example
 * const events = openEventFile('runs/joint/tensorboard');
 * events.scalar('loss/total', 1.79, 1);
 * events.close();
 * @see https://www.tensorflow.org/tensorboard
 */
export function openEventFile(folder: string, options: { readonly fromStep?: number } = {}): EventFile {
  const { fromStep = 0 } = checkKeys(options, { fromStep: true }, 'openEventFile');
  checkStep(fromStep);
  const { path, file } = create(folder);
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  let position = 0;

  // Written at a position of our own, never appended: what a full disk cut off is written over by the next try,
  // so that no torn record ever stands in the middle of a file.
  const write = (): void => {
    if (pendingBytes === 0) return;
    const bytes = Buffer.concat(pending);
    pending = [bytes];
    orExplain(path, () => {
      for (let done = 0; done < bytes.length;) {
        done += writeSync(file, bytes, done, bytes.length - done, position + done);
      }
    });
    position += bytes.length;
    pending = [];
    pendingBytes = 0;
  };
  const add = (event: Uint8Array): void => {
    pending.push(record(event));
    pendingBytes += event.length + RECORD_OVERHEAD;
    if (pendingBytes > BUFFER_BYTES) write();
  };
  const flush = (): void => {
    write();
    orExplain(path, () => fsyncSync(file));
  };

  const opened = now();
  add(message(double(1, opened), text(3, 'brain.Event:2')));
  add(message(double(1, opened), integer(2, fromStep), bytes(7, integer(1, SESSION_START))));
  return {
    path,
    scalar: (tag, value, step, wallTime = now()) => {
      checkStep(step);
      const summary = bytes(1, message(text(1, tag), float(2, value)));
      add(message(double(1, wallTime), integer(2, step), bytes(5, summary)));
    },
    text: (tag, markdown, step, wallTime = now()) => {
      checkStep(step);
      const tensor = message(integer(1, TYPE_STRING), bytes(2, new Uint8Array()), text(8, markdown));
      const metadata = bytes(1, text(1, 'text'));
      const summary = bytes(1, message(text(1, tag), bytes(8, tensor), bytes(9, metadata)));
      add(message(double(1, wallTime), integer(2, step), bytes(5, summary)));
    },
    flush,
    close: () => {
      try {
        flush();
      } finally {
        closeSync(file);
      }
    },
  };
}

/** A new file whose name sorts behind those of the folder: TensorBoard reads files in the order of their names. */
function create(folder: string): { readonly path: string; readonly file: number } {
  return orExplain(folder, () => {
    makeFolder(folder);
    const earlier = readdirSync(folder).map((name) => Number(FILE_NAME.exec(name)?.[1] ?? 0));
    for (let second = Math.max(Math.floor(now()), ...earlier.map((begun) => begun + 1)); ; second++) {
      const stamp = String(second).padStart(10, '0');
      const path = join(folder, `events.out.tfevents.${stamp}.${hostname()}.${process.pid}`);
      try {
        return { path, file: openSync(path, 'wx') };
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      }
    }
  });
}

function orExplain<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const reason = (error as Error).message;
    throw new G2DError(
      'G2D_RUN_FOLDER',
      `The TensorBoard events of ${path} cannot be written: ${reason}. Free space or choose another folder.`,
      { path },
      { cause: error },
    );
  }
}

function checkStep(step: number): void {
  if (Number.isSafeInteger(step) && step >= 0) return;
  throw new OptionError(`The step of an event is ${step}; it must be a whole number of at least 0.`, {
    option: 'step',
    value: step,
    accepted: 'a whole number of at least 0',
  });
}

const now = (): number => Date.now() / 1000;

// Protocol buffers, as much as events need. No JavaScript library writes event files without TensorFlow's native one,
// which is absent on the WASM backend; a general encoder would be larger than these lines.

/** `SessionLog.START`, `DT_STRING`: values of TensorFlow's enumerations. */
const SESSION_START = 1;
const TYPE_STRING = 7;

const message = (...fields: readonly Uint8Array[]): Uint8Array => Buffer.concat(fields);

function integer(field: number, value: number): Uint8Array {
  return Uint8Array.from([...varint(8 * field), ...varint(value)]);
}

function double(field: number, value: number): Uint8Array {
  const encoded = Buffer.alloc(9);
  encoded[0] = 8 * field + 1;
  encoded.writeDoubleLE(value, 1);
  return encoded;
}

function float(field: number, value: number): Uint8Array {
  const encoded = Buffer.alloc(5);
  encoded[0] = 8 * field + 5;
  encoded.writeFloatLE(value, 1);
  return encoded;
}

function bytes(field: number, value: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.from([...varint(8 * field + 2), ...varint(value.length)]), value]);
}

const text = (field: number, value: string): Uint8Array => bytes(field, Buffer.from(value));

/** Seven bits a byte, the lowest first. Divides, as JavaScript's shifts end at 32 bits. */
function varint(value: number): number[] {
  const encoded: number[] = [];
  for (; value >= 128; value = Math.floor(value / 128)) encoded.push((value % 128) + 128);
  return [...encoded, value];
}

/** One record of a TFRecord file. */
function record(data: Uint8Array): Uint8Array {
  const framed = Buffer.alloc(data.length + RECORD_OVERHEAD);
  framed.writeBigUInt64LE(BigInt(data.length), 0);
  framed.writeUInt32LE(maskedChecksum(framed.subarray(0, 8)), 8);
  framed.set(data, 12);
  framed.writeUInt32LE(maskedChecksum(data), 12 + data.length);
  return framed;
}

/** CRC-32C (Castagnoli, reflected) of every byte. */
const CHECKSUMS = Uint32Array.from({ length: 256 }, (_, byte) => {
  let checksum = byte;
  for (let bit = 0; bit < 8; bit++) checksum = (checksum >>> 1) ^ (checksum & 1 ? 0x82f63b78 : 0);
  return checksum >>> 0;
});

/** CRC-32C, turned and shifted as the format asks, so that checksums of data with checksums stay useful. */
function maskedChecksum(data: Uint8Array): number {
  let checksum = 0xffffffff;
  for (const byte of data) checksum = (checksum >>> 8) ^ (CHECKSUMS[(checksum ^ byte) & 0xff] as number);
  checksum = ~checksum >>> 0;
  return (((checksum >>> 15) | (checksum << 17)) + 0xa282ead8) >>> 0;
}
