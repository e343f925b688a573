import type { PlannedRun, PoolMember } from '@g2d/runs';

/** Runs of a table that differ in nothing but their seed, and in further keys of the grid over which is averaged, such as a fold. */
export interface Entry {
  readonly dataset: string;
  readonly method: string;
  readonly case?: string;
  readonly modalities: readonly string[];
  readonly members: readonly PoolMember[];
}

/** The runs that the sweeps of a table plan, by what its cells ask for. */
export class Catalogue {
  readonly entries: readonly Entry[];

  /**
   * @param members Of the table's sweeps, in their order.
   * @param runs Of their plan.
   */
  constructor(members: readonly PoolMember[], runs: readonly PlannedRun[]) {
    const planned = new Map(runs.map((run) => [run.id, run]));
    const entries = new Map<string, Entry & { readonly members: PoolMember[] }>();
    for (const member of members) {
      // Of a reference there is no cell: notes have it.
      if (member.combination.reference !== undefined) continue;
      const { dataset, method, case: name } = member.combination;
      const key = JSON.stringify([dataset, method, name]);
      const { modalities, encoders } = (planned.get(member.id) as PlannedRun).config;
      const entry = entries.get(key) ?? {
        dataset,
        method,
        ...(name !== undefined && { case: name }),
        modalities: modalities ?? Object.keys(encoders),
        members: [],
      };
      entry.members.push(member);
      entries.set(key, entry);
    }
    this.entries = [...entries.values()];
  }

  get datasets(): readonly string[] {
    return distinct(this.entries.map(({ dataset }) => dataset));
  }

  /** Of one dataset, in the order of the grid. */
  cases(dataset?: string): readonly string[] {
    const own = this.entries.filter((entry) => dataset === undefined || entry.dataset === dataset);
    return distinct(own.flatMap((entry) => entry.case ?? []));
  }

  /** Modalities of a dataset's runs, or of those of a case. */
  modalities(dataset: string, name?: string): readonly string[] {
    const own = this.entries.filter((entry) => entry.dataset === dataset && (!name || entry.case === name));
    return distinct(own.flatMap(({ modalities }) => modalities));
  }

  /** Of the paper's methods those that no run is planned of. */
  unplanned(order: readonly string[]): readonly string[] {
    const own = new Set(this.entries.map(({ method }) => method));
    return order.filter((name) => !own.has(name));
  }

  find(dataset: string, method: string | undefined, name: string | undefined): Entry | undefined {
    return this.entries.find(
      (entry) =>
        entry.dataset === dataset &&
        (method === undefined || entry.method === method) &&
        (name === undefined || entry.case === name),
    );
  }

  /** Ids of a modality's teachers, by seed; one of each seed, whichever student it is for. */
  teachers(dataset: string, modality: string): readonly { readonly seed: number; readonly id: string }[] {
    const found = new Map<number, string>();
    for (const entry of this.entries.filter((one) => one.dataset === dataset)) {
      for (const { combination, teachers } of entry.members) {
        const id = teachers[modality];
        if (id !== undefined && !found.has(combination.seed)) found.set(combination.seed, id);
      }
    }
    return [...found].map(([seed, id]) => ({ seed, id }));
  }
}

const distinct = (names: readonly string[]): readonly string[] => [...new Set(names)];
