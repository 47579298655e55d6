import type { Attributes, BatchObservableResult, Meter, Observable } from '@opentelemetry/api';
import type { MetricSpec, Observe } from './metrics.ts';

const READ_MS = 3_000;

interface Seen {
  readonly observable: Observable;
  readonly value: number;
  readonly labels: Attributes;
}

/** Instruments by name, each made once. */
export class Instruments {
  readonly #meter: Meter;
  readonly #onTrouble: (error: unknown) => void;
  readonly #made = new Map<string, unknown>();

  /** `onTrouble` is told why gauges could not be read. */
  constructor(meter: Meter, onTrouble: (error: unknown) => void) {
    this.#meter = meter;
    this.#onTrouble = onTrouble;
  }

  /** NaN goes into no bucket and is not counted: it leaves an empty histogram. */
  start(spec: MetricSpec, labels: Record<string, string>): void {
    if (spec.kind === 'counter') this.counter(spec).add(0, labels);
    else this.histogram(spec).record(Number.NaN, labels);
  }

  counter(spec: MetricSpec) {
    return this.#once(spec, (options) => this.#meter.createCounter(spec.name, options));
  }

  histogram(spec: MetricSpec) {
    const advice = { explicitBucketBoundaries: [...(spec.buckets ?? [])] };
    return this.#once(spec, (options) => this.#meter.createHistogram(spec.name, { ...options, advice }));
  }

  observe(specs: readonly MetricSpec[], read: (observe: Observe) => void | Promise<void>): void {
    const observables = new Map(specs.map((spec) => [spec.name, this.#observable(spec)]));
    let before = new Map<string, Seen>();
    const callback = async (result: BatchObservableResult) => {
      const now = new Map<string, Seen>();
      const take: Observe = ({ name }, value, labels) => {
        const observable = observables.get(name);
        if (observable) now.set(`${name} ${JSON.stringify(labels)}`, { observable, value, labels });
      };
      await within(async () => read(take)).catch(this.#onTrouble);
      for (const [key, seen] of before) if (!now.has(key)) now.set(key, { ...seen, value: Number.NaN });
      for (const { observable, value, labels } of now.values()) result.observe(observable, value, labels);
      before = now;
    };
    this.#meter.addBatchObservableCallback(callback, [...observables.values()]);
  }

  #observable(spec: MetricSpec): Observable {
    return this.#once(spec, (options) =>
      spec.kind === 'counter'
        ? this.#meter.createObservableCounter(spec.name, options)
        : this.#meter.createObservableGauge(spec.name, options),
    );
  }

  #once<T>(spec: MetricSpec, make: (options: { description: string }) => T): T {
    const made = (this.#made.get(spec.name) as T | undefined) ?? make({ description: spec.help });
    this.#made.set(spec.name, made);
    return made;
  }
}

/** Waits for `work`, for at most {@link READ_MS}. */
async function within(work: () => Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no figures within ${READ_MS} ms`)), READ_MS);
  });
  try {
    await Promise.race([work(), late]);
  } finally {
    clearTimeout(timer);
  }
}
