import { describe, expect, it } from 'vitest';
import { launched } from './launched.js';

const two = { G2D_RANK: '1', G2D_PROCESSES: '2', G2D_START: 'a' };

describe('launched', () => {
  it.each([
    ['nothing', {}, undefined],
    ['one process', { G2D_RANK: '0', G2D_PROCESSES: '1' }, undefined],
    ['our own variables', two, { rank: 1, processes: 2, start: 'a' }],
    [
      'OpenMPI',
      { OMPI_COMM_WORLD_RANK: '2', OMPI_COMM_WORLD_SIZE: '3', PMIX_NAMESPACE: '17/1' },
      { rank: 2, processes: 3, start: '17-1' },
    ],
    [
      'srun',
      { SLURM_PROCID: '1', SLURM_STEP_NUM_TASKS: '4', SLURM_JOB_ID: '7', SLURM_STEP_ID: '2' },
      { rank: 1, processes: 4, start: '7.2.0' },
    ],
    [
      'a requeued job',
      {
        SLURM_PROCID: '0',
        SLURM_STEP_NUM_TASKS: '2',
        SLURM_JOB_ID: '7',
        SLURM_STEP_ID: '0',
        SLURM_RESTART_COUNT: '3',
      },
      { rank: 0, processes: 2, start: '7.0.3' },
    ],
    // It has a number and a count too, and nobody beside it.
    ['the script of a Slurm job', { SLURM_PROCID: '0', SLURM_NTASKS: '2', SLURM_JOB_ID: '7' }, undefined],
    [
      'torchrun',
      { RANK: '1', WORLD_SIZE: '2', TORCHELASTIC_RUN_ID: 'run', TORCHELASTIC_RESTART_COUNT: '1' },
      { rank: 1, processes: 2, start: 'run.1' },
    ],
    [
      'variables like torchrun’s',
      { RANK: '1', WORLD_SIZE: '2', MASTER_ADDR: 'node', MASTER_PORT: '29500' },
      { rank: 1, processes: 2, start: 'node.29500' },
    ],
    [
      'an element of an indexed Kubernetes job, whose index alone says nothing',
      { JOB_COMPLETION_INDEX: '1' },
      undefined,
    ],
    [
      'several: ours come first',
      { ...two, RANK: '5', WORLD_SIZE: '9' },
      { rank: 1, processes: 2, start: 'a' },
    ],
  ])('understands %s', (_, env, expected) => {
    const { rank, processes, start } = launched(env as Record<string, string>) ?? {};
    expect({ rank, processes, start }).toEqual({
      rank: undefined,
      processes: undefined,
      start: undefined,
      ...expected,
    });
  });

  it('takes addresses', () => {
    const env = { ...two, G2D_ADDRESSES: 'g2d-0.g2d:4000, [fd00::1]:4000', G2D_HOST: 'here' };
    expect(launched(env)).toMatchObject({ addresses: ['g2d-0.g2d:4000', '[fd00::1]:4000'], host: 'here' });
  });

  it.each([
    [{ G2D_RANK: '1' }, 'Of G2D_RANK and G2D_PROCESSES only one is set. Set both, or none'],
    [{ ...two, G2D_RANK: '2' }, 'G2D_RANK is "2"; it must be a whole number from 0 to 1.'],
    [{ ...two, G2D_PROCESSES: 'two' }, 'G2D_PROCESSES is "two"; it must be a whole number from 1 to 1024.'],
    [{ ...two, G2D_ADDRESSES: 'a:1' }, 'G2D_ADDRESSES has 1 addresses for 2 processes. Give one host:port'],
    [{ ...two, G2D_ADDRESSES: 'a:1,b' }, 'G2D_ADDRESSES has "b", which is not host:port.'],
    [{ ...two, G2D_ADDRESSES: 'a:1,a:1' }, 'G2D_ADDRESSES has one address twice.'],
  ])('refuses %j', (env, message) => {
    expect(() => launched(env)).toThrow(message);
  });
});
