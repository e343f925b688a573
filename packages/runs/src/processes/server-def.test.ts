import { describe, expect, it } from 'vitest';
import { serverDef } from './server-def.js';

/** Fields of a message: number → values, texts and messages as bytes. */
function fields(bytes: Uint8Array): Record<number, (number | Buffer)[]> {
  const found: Record<number, (number | Buffer)[]> = {};
  let at = 0;
  const varint = (): number => {
    let [value, scale] = [0, 1];
    for (; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const value = varint();
    if (tag % 8 === 0) (found[tag >> 3] ??= []).push(value);
    else (found[tag >> 3] ??= []).push(Buffer.from(bytes.slice(at, (at += value))));
  }
  return found;
}

describe('serverDef', () => {
  it('names every task, and who this one is', () => {
    const addresses = Array.from({ length: 300 }, (_, i) => `node-${i}:4000`);
    const server = fields(serverDef(addresses, 299));
    expect(String(server[2])).toBe('worker');
    expect(server[3]).toEqual([299]);
    expect(String(server[5])).toBe('grpc');
    const job = fields(fields(server[1]![0] as Buffer)[1]![0] as Buffer);
    const tasks = job[2]!.map((task) => fields(task as Buffer));
    expect(tasks.map((task) => [task[1]![0], String(task[2])])).toEqual(addresses.map((a, i) => [i, a]));
    const experimental = fields(fields(server[4]![0] as Buffer)[16]![0] as Buffer);
    const coordination = fields(experimental[23]![0] as Buffer);
    expect(String(coordination[1])).toBe('standalone');
    // Ten seconds without a sign of life.
    expect(coordination[5]).toEqual([10_000]);
    expect(fields(coordination[10]![0] as Buffer)[2]).toEqual([300]);
  });
});
