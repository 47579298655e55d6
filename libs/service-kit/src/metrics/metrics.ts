/** A metric as data; `name` is what is scraped. */
export interface MetricSpec<Label extends string = string> {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly Label[];
  readonly buckets?: readonly number[];
}

/** A value for each label of a metric. */
export type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** Says the value of a gauge at this moment. */
export type Observe = <Label extends string>(
  spec: MetricSpec<Label>,
  value: number,
  labels: Labels<Label>,
) => void;

/** The metrics of one process, scraped at `/metrics` and pushed by OTLP when `OTEL_*` asks for it. */
export interface Metrics {
  /** Makes a series visible before anything happened: a counter as 0, a histogram as empty. */
  start<Label extends string>(spec: MetricSpec<Label>, labels: Labels<Label>): void;
  /** Adds to a counter. */
  add<Label extends string>(spec: MetricSpec<Label>, value: number, labels: Labels<Label>): void;
  /** Puts a value into a histogram. */
  record<Label extends string>(spec: MetricSpec<Label>, value: number, labels: Labels<Label>): void;
  /**
   * Asks `read` at every scrape for the values of these gauges and of counters that are kept elsewhere. What it does not
   * observe, because it throws or takes more than 3 s, is left out of that scrape: no figure is better than an old one.
   */
  observe(specs: readonly MetricSpec[], read: (observe: Observe) => void | Promise<void>): void;
  /** All metrics in the text format of Prometheus. */
  scrape(): Promise<string>;
  /** Pushes what is left, for at most 5 s. Never rejects. */
  close(): Promise<void>;
}
