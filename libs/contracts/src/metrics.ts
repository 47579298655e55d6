/** A metric as data; `name` is what is scraped. Labels take few values each: never an id, never text from outside. */
export interface MetricSpec<Label extends string = string> {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  readonly labels: readonly Label[];
  /** Upper bounds of a histogram's buckets. */
  readonly buckets?: readonly number[];
}

type Kind = MetricSpec['kind'];

const metric = <Label extends string = never>(
  kind: Kind,
  name: string,
  help: string,
  labels: readonly Label[] = [],
  buckets?: readonly number[],
): MetricSpec<Label> => ({ name, kind, help, labels, ...(buckets ? { buckets } : {}) });

const LANE_LABELS = ['stage', 'engine', 'lane'] as const;
const WAIT_BUCKETS = [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14_400];
const WORK_BUCKETS = [0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 7200];

/** How a job can end, for the label `outcome` of `earshot_jobs_total`. */
export const JOB_OUTCOMES = [
  'done',
  'retry',
  'later',
  'give_up',
  'interrupted',
  'canceled',
  'lease_lost',
  'unpublished',
] as const;

/**
 * The metrics of an installation. Results tells those of queues and transcripts, right also while no worker runs; where it
 * has replicas each tells the same, so take the `max` of gauges. Workers and ingest tell their own, to be summed.
 */
export const METRICS = {
  queueLength: metric('gauge', 'earshot_queue_length', 'Jobs that wait or are in work', LANE_LABELS),
  activeJobs: metric('gauge', 'earshot_active_jobs', 'Jobs in work', LANE_LABELS),
  queueOldest: metric(
    'gauge',
    'earshot_queue_oldest_seconds',
    'Age of the oldest job that waits or is in work',
    LANE_LABELS,
  ),
  queueAudio: metric(
    'gauge',
    'earshot_queue_audio_seconds',
    'Audio of accepted recordings that is not transcribed yet',
    ['engine', 'lane'],
  ),
  scheduledJobs: metric('gauge', 'earshot_scheduled_jobs', 'Jobs that wait for their next attempt'),
  activeWorkers: metric('gauge', 'earshot_active_workers', 'Workers that told of themselves just now'),
  workersMinimum: metric(
    'gauge',
    'earshot_workers_minimum',
    'Workers that are to be there (EARSHOT_MIN_WORKERS)',
  ),
  deadLetters: metric('gauge', 'earshot_dead_letters', 'Dead letters that nobody has dealt with', ['stage']),
  concurrentUsers: metric(
    'gauge',
    'earshot_concurrent_users',
    'Distinct session_id of unfinished transcripts',
  ),
  realtimeFactor: metric(
    'gauge',
    'earshot_realtime_factor',
    'Engine seconds for a second of audio, over the chunks of the last 15 minutes; 0 without any',
    ['engine'],
  ),
  resultsLag: metric('gauge', 'earshot_results_lag', 'Facts that results has not stored yet'),
  streamUsed: metric('gauge', 'earshot_stream_used_ratio', 'How full a budget of the broker is', ['budget']),
  budgetUsed: metric(
    'gauge',
    'earshot_budget_used_ratio',
    'How much of an engine’s budget of the day is used or reserved, of the fullest one; 1 and more while calls are refused',
    ['engine'],
  ),
  completed: metric(
    'counter',
    'earshot_transcripts_completed_total',
    'Transcripts that were completed, or ended with gaps (partial)',
    ['status'],
  ),
  jobs: metric('counter', 'earshot_jobs_total', 'Jobs that ended, by outcome', [
    'stage',
    'engine',
    'outcome',
  ]),
  jobWait: metric(
    'histogram',
    'earshot_job_wait_seconds',
    'From a job’s publication to the start of its work',
    ['stage', 'engine'],
    WAIT_BUCKETS,
  ),
  jobDuration: metric(
    'histogram',
    'earshot_job_duration_seconds',
    'Work on a job',
    ['stage', 'engine'],
    WORK_BUCKETS,
  ),
  audioSeconds: metric('counter', 'earshot_audio_seconds_total', 'Audio that was transcribed', ['engine']),
  billedSeconds: metric('counter', 'earshot_billed_seconds_total', 'Audio that paid engines charged for', [
    'engine',
  ]),
  resultsSecond: metric(
    'counter',
    'earshot_results_second_total',
    'Results of a job that came second and changed nothing',
    ['stage', 'engine'],
  ),
  circuitOpen: metric('gauge', 'earshot_engine_circuit_open', '1 while an engine of a worker is down', [
    'engine',
  ]),
  paidCalls: metric('counter', 'earshot_paid_calls_total', 'What happened to calls of paid engines', [
    'event',
  ]),
  uploads: metric('counter', 'earshot_uploads_total', 'Upload events, by what became of them', ['result']),
} as const;
