// A TensorFlow ServerDef in protobuf's wire format: three messages of a few fields, for which no protobuf library is needed.

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return Buffer.from([...bytes, rest]);
}
const integer = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
const message = (field: number, ...content: readonly (string | Buffer)[]): Buffer => {
  const bytes = Buffer.concat(content.map((part) => Buffer.from(part as string)));
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
};

const JOB = 'worker';
const LEADER = `/job:${JOB}/replica:0/task:0`;

/** How long TensorFlow waits. */
const SECONDS = {
  /** For all processes to connect, once each has said where it is. */
  join: 120,
  /** For a sign of life from a process, before it counts as lost. */
  heartbeat: 10,
  /** At the end, for the others to get so far. */
  leave: 10,
};

/**
 * What TensorFlow has to know to make this process one of a cluster.
 *
 * @param addresses `host:port` of each process.
 * @param rank Which of them this one is.
 * @see tensorflow/core/protobuf: tensorflow_server.proto, cluster.proto, coordination_config.proto
 */
export function serverDef(addresses: readonly string[], rank: number): Buffer {
  const tasks = addresses.map((address, task) => message(2, integer(1, task), message(2, address)));
  const coordination = message(
    23,
    message(1, 'standalone'),
    message(2, LEADER),
    integer(3, 1),
    integer(4, 1000 * SECONDS.join),
    integer(5, 1000 * SECONDS.heartbeat),
    integer(7, 1000 * SECONDS.leave),
    message(10, message(1, JOB), integer(2, addresses.length)),
  );
  const experimental = message(16, message(1, LEADER), coordination);
  return Buffer.concat([
    message(1, message(1, message(1, JOB), ...tasks)),
    message(2, JOB),
    integer(3, rank),
    message(4, experimental),
    message(5, 'grpc'),
  ]);
}
