import { G2DError } from '@g2d/core';

/**
 * What TensorFlow says where a sum does not come about, as one sentence: which process is gone.
 *
 * @param addresses Of all processes.
 */
export function peerLost(cause: unknown, addresses: readonly string[], rank: number): G2DError {
  const reason = String((cause as Error | undefined)?.message ?? cause);
  const named = [...reason.matchAll(/\/task:(\d+)/g)].map(([, task]) => Number(task));
  const ranks = [...new Set(named)].filter((task) => task !== rank && task < addresses.length);
  const who =
    ranks.length === 1
      ? `Process ${ranks[0]} of ${addresses.length} (${addresses[ranks[0] as number]}) is gone`
      : `One of the other ${addresses.length - 1} processes is gone`;
  return new G2DError(
    'G2D_PEER_LOST',
    `${who}: process ${rank} waited for it in vain. The last checkpoint stays; go on with --resume, with as many processes as you like.`,
    { rank, ranks, reason: reason.split('\n')[0] },
    { cause },
  );
}
