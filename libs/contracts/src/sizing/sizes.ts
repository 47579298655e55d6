/** The names of the sizes, smallest first. */
export type SizeName = 'small' | 'medium' | 'large' | 'enterprise';

/** A size of installation: from how many users on, and with what workers. */
export interface Size {
  readonly name: SizeName;
  /** The smallest number of users it is meant for. */
  readonly users: number;
  /** Worker processes; `max` is null where more users simply ask for more. */
  readonly instances: { readonly min: number; readonly max: number | null };
  /** Chunks in work at once in each of them (WORKER_CONCURRENCY). */
  readonly concurrency: { readonly min: number; readonly max: number };
  /** What one instance is given. */
  readonly cpu: number;
  readonly memory_mb: number;
}

/** The sizes of installations that deployments and `earshot plan` read; smallest first. */
export const SIZES: readonly Size[] = [
  {
    name: 'small',
    users: 0,
    instances: { min: 1, max: 1 },
    concurrency: { min: 4, max: 4 },
    cpu: 1,
    memory_mb: 2048,
  },
  {
    name: 'medium',
    users: 50,
    instances: { min: 2, max: 3 },
    concurrency: { min: 3, max: 3 },
    cpu: 1,
    memory_mb: 2048,
  },
  {
    name: 'large',
    users: 200,
    instances: { min: 4, max: null },
    concurrency: { min: 2, max: 3 },
    cpu: 2,
    memory_mb: 4096,
  },
  {
    name: 'enterprise',
    users: 1000,
    instances: { min: 10, max: null },
    concurrency: { min: 2, max: 3 },
    cpu: 2,
    memory_mb: 4096,
  },
];

/** What one recording in work costs, from experience: minutes of work and megabytes of memory. */
export const WORK = {
  minutes: { min: 3, max: 5 },
  memory_mb: { min: 200, max: 500 },
} as const;
