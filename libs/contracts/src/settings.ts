import Type, { type TSchema } from 'typebox';

const required = (description: string, options: Record<string, unknown> = {}) =>
  Type.String({ description, minLength: 1, ...options });
const text = (description: string, options: Record<string, unknown> = {}) =>
  Type.Optional(required(description, options));
const whole = (description: string, defaultValue: number, minimum: number, maximum: number) =>
  Type.Integer({ description, default: defaultValue, minimum, maximum });

/**
 * Every environment variable of every service, in one table: services pick from it, the configuration page is
 * generated from it, and an `EARSHOT_*` name that is not in it stops the start. Any of them may be given as `X_FILE`.
 */
export const settings = {
  DATABASE_URL: required('PostgreSQL address, e.g. postgres://user@host/db', {
    pattern: '^postgres(ql)?://',
  }),
  DATABASE_URL_FILE: text('Path of a file with the PostgreSQL address; read again at each connect'),
  NATS_URL: required('NATS addresses, separated by commas', { pattern: '^(nats|tls)://' }),
  NATS_CREDS: text('Path of a NATS credentials file; read again at each connect'),
  NATS_TOKEN: text('NATS token'),
  NATS_TOKEN_FILE: text('Path of a file with the NATS token; read again at each connect'),
  NATS_USER: text('NATS user'),
  NATS_USER_FILE: text('Path of a file with the NATS user; read again at each connect'),
  NATS_PASSWORD: text('NATS password'),
  NATS_PASSWORD_FILE: text('Path of a file with the NATS password; read again at each connect'),
  NATS_INBOX_PREFIX: Type.String({
    description:
      'What the subjects begin with on which NATS answers us; one for each user keeps the answers apart',
    default: '_INBOX',
    pattern: '^[A-Za-z0-9_-]+([.][A-Za-z0-9_-]+)*$',
  }),
  NATS_TLS_CA: text('Path of the CA certificate of NATS; read again at each connect, as the next two'),
  NATS_TLS_CERT: text('Path of the client certificate for NATS'),
  NATS_TLS_KEY: text('Path of the client key for NATS'),
  NATS_TLS_HANDSHAKE_FIRST: text('yes where nats-server is set so that TLS begins before its first word', {
    pattern: '^(yes|no)$',
  }),
  PORT: whole(
    'Port of the HTTP listener; of separate services: ingest 8081, results 8082, transcription 8083',
    8080,
    0,
    65_535,
  ),
  HOST: Type.String({ description: 'Address of the HTTP listener', default: '127.0.0.1', minLength: 1 }),
  ENVIRONMENT: Type.String({ description: 'development, staging, production, …', default: 'development' }),
  LOG_LEVEL: Type.String({
    description: 'trace, debug, info, warn, error, fatal or silent, in any case',
    default: 'info',
    pattern: '^(trace|debug|info|warn|warning|error|critical|fatal|silent)$',
    lowercase: true,
  }),
  GOOGLE_PROJECT_ID: text('Project of Google Cloud; default: that of the credentials'),
  GOOGLE_APPLICATION_CREDENTIALS_JSON: text(
    'Credentials of Google Cloud, JSON or JSON in base64; default: what Google’s libraries find, i.e. the file that GOOGLE_APPLICATION_CREDENTIALS names, or workload identity',
  ),
  SENTRY_DSN: text('Where errors are reported to; needs the optional package @sentry/node'),
  WORKER_CONCURRENCY: Type.Optional(
    Type.Integer({
      description: 'Chunks transcribed at once by one worker; default: the cores (2 in combined)',
      minimum: 1,
      maximum: 256,
    }),
  ),
  WORKER_MAX_TASKS_PER_CHILD: whole('Chunks after which a child process is renewed', 50, 1, 1_000_000),
  TASK_TIME_LIMIT: whole('Seconds after which a chunk is given up, at most', 7200, 1, 86_400),
  EARSHOT_HOME: Type.String({ description: 'Folder of the embedded servers’ data', default: '.earshot' }),
  EARSHOT_CACHE_DIR: text('Folder of fetched parts; default: earshot in the user’s cache folder'),
  EARSHOT_NATS_SERVER_BIN: text('Path of a nats-server to run'),
  EARSHOT_FFMPEG_BIN: text('Path of an ffmpeg to run'),
  EARSHOT_MODEL_DIR: text('Folder with the speech model, its tokens.txt and silero_vad_v5.onnx'),
  EARSHOT_ENGINES: Type.String({
    description: 'Engines by name, separated by commas; the first is the default',
    default: 'sherpa',
    pattern: '^[a-z0-9-]{1,32}(,[a-z0-9-]{1,32})*$',
  }),
  EARSHOT_STORAGE_URL: required('Where recordings are kept: file:/path or gs://bucket/folder', {
    pattern: '^(file:/.*|gs://[a-z0-9][a-z0-9._-]+[a-z0-9](/[A-Za-z0-9._=+@-]+)*/?)$',
  }),
  EARSHOT_GOOGLE_STORAGE_ENDPOINT: text(
    'Address of a Cloud Storage other than Google’s, e.g. http://127.0.0.1:4443, asked without credentials: for emulators and tests',
    { pattern: '^https?://[^/]+$' },
  ),
  EARSHOT_PUBSUB_AUDIENCE: text(
    'Audience of the push subscription of bucket notifications; with the next one it opens POST /v1/events/pubsub',
  ),
  EARSHOT_PUBSUB_SERVICE_ACCOUNT: text('E-mail address of the service account that Pub/Sub pushes as', {
    pattern: '^[^@\\s]+@[^@\\s]+$',
  }),
  EARSHOT_BUCKETS_FILE: text(
    'JSON file of the buckets that each tenant’s recordings may be read from; read again when it changes; default: none',
  ),
  EARSHOT_MAX_ATTEMPTS: whole('Failed attempts after which a job is given up', 5, 1, 100),
  EARSHOT_ACK_WAIT_SECONDS: whole('Seconds after which a silent worker loses its job', 15, 5, 3600),
  EARSHOT_MAX_ACK_PENDING: text('Jobs in flight per engine, e.g. sherpa=1000,google=8; at least 3 each', {
    pattern: '^[a-z0-9-]{1,32}=([3-9]|[1-9]\\d{1,5})(,[a-z0-9-]{1,32}=([3-9]|[1-9]\\d{1,5}))*$',
  }),
  EARSHOT_GOOGLE_MODEL: Type.String({
    description: 'Model of the engine google: chirp_3, chirp_2, long or telephony',
    default: 'chirp_3',
    pattern: '^(chirp_3|chirp_2|long|telephony)$',
  }),
  EARSHOT_GOOGLE_LOCATION: Type.String({
    description: 'Where Google works, e.g. us, eu, europe-west4; not every model is everywhere',
    default: 'us',
    pattern: '^[a-z0-9-]{2,32}$',
  }),
  EARSHOT_GOOGLE_LANGUAGE: Type.String({
    description:
      'Language of recordings that name none, for models of Google that do not find out by themselves',
    default: 'en-US',
    pattern: '^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*$',
  }),
  EARSHOT_GOOGLE_WORD_TIMES: Type.String({
    description: 'yes, or no: without times of words chirp_3 takes an hour at once instead of 20 minutes',
    default: 'yes',
    pattern: '^(yes|no)$',
  }),
  EARSHOT_GOOGLE_STAGING_URL: text(
    'Where sound is brought for Google, and long texts come from: gs://bucket/folder; default: EARSHOT_STORAGE_URL, where that is a bucket',
    { pattern: '^gs://[a-z0-9][a-z0-9._-]+[a-z0-9](/[A-Za-z0-9._=+@-]+)*/?$' },
  ),
  EARSHOT_GOOGLE_SPEECH_ENDPOINT: text(
    'host:port of a Speech-to-Text without encryption, for tests; credentials are not used there',
    { pattern: '^[A-Za-z0-9.-]+:\\d{1,5}$' },
  ),
  EARSHOT_GOOGLE_DAILY_BUDGET_MINUTES: text(
    'Minutes of audio that the engine google may charge for in a UTC day: of all tenants, of single ones, or both, e.g. 600,acme=60',
    { pattern: '^(\\d{1,7}|[a-z0-9-]{1,32}=\\d{1,7})(,[a-z0-9-]{1,32}=\\d{1,7})*$' },
  ),
  EARSHOT_FACTS_DAYS: whole('Days that facts are kept in the stream', 7, 1, 365),
  EARSHOT_NATS_STORE_BYTES: Type.Optional(
    Type.Integer({
      description: 'Budget of all streams in bytes, where the account shows none',
      minimum: 1_048_576,
    }),
  ),
  EARSHOT_DATABASE_POOL_SIZE: whole('Connections to PostgreSQL of one process at most', 10, 2, 1000),
  EARSHOT_NATS_REPLICAS: whole('Replicas of each stream', 1, 1, 5),
  EARSHOT_SHUTDOWN_GRACE_SECONDS: whole('Seconds a stop may take', 25, 1, 3600),
  EARSHOT_DRAIN_SECONDS: whole(
    'Seconds for which a stopping service still answers while /readyz says 503; a probe period behind a router',
    0,
    0,
    3600,
  ),
  EARSHOT_EXIT_WHEN_IDLE_SECONDS: Type.Optional(
    Type.Integer({
      description:
        'Seconds without a job after which a process of transcription stops and exits 0, for workers that are started by the queue; default: never',
      minimum: 1,
      maximum: 86_400,
    }),
  ),
  EARSHOT_WORKER_MEMORY_LIMIT_MB: whole(
    'Resident memory in MB above which a child process is ended; the default engine needs 300',
    1024,
    300,
    1_048_576,
  ),
  EARSHOT_MIN_WORKERS: whole(
    'Workers that are to be there also without work, for the alert NoActiveWorkers',
    0,
    0,
    10_000,
  ),
  EARSHOT_SCALE_UP_QUEUE: whole('Waiting jobs above which more workers are advised', 10, 0, 1_000_000),
  EARSHOT_SCALE_DOWN_QUEUE: whole('Jobs below which fewer workers are advised', 2, 0, 1_000_000),
  EARSHOT_SCALE_WAIT_SECONDS: whole(
    'Seconds of waiting above which more concurrency is advised',
    300,
    1,
    86_400,
  ),
  EARSHOT_SCALE_CPU_PERCENT: whole('CPU use above which more workers are advised', 80, 1, 100),
  EARSHOT_SCALE_MEMORY_PERCENT: whole(
    'Memory use above which less concurrency, or more workers, are advised',
    85,
    1,
    100,
  ),
  EARSHOT_SCALE_FAILURE_PERCENT: whole(
    'Share of failed chunks above which less concurrency and a look are advised',
    5,
    0,
    100,
  ),
  EARSHOT_SCALE_STEADY_SECONDS: whole('Seconds for which a scaling advice stays as it is', 300, 0, 86_400),
  EARSHOT_SCALE_CLEAR_MINUTES: whole('Minutes in which a backlog is to be cleared', 30, 1, 10_080),
  EARSHOT_MAX_RECORDING_MB: whole('Largest upload in MB', 4096, 1, 1_048_576),
  EARSHOT_MAX_RECORDING_HOURS: whole('Longest recording in hours', 24, 1, 1000),
  EARSHOT_TRACE_URL_TEMPLATE: text(
    'Address of a trace in the trace viewer, with {trace_id} in it; transcripts show it as `trace_url`',
    { pattern: '^https?://.*\\{trace_id\\}' },
  ),
  EARSHOT_URL: Type.String({
    description: 'Where the command `earshot` finds the API (of separate services: that of results)',
    default: 'http://127.0.0.1:8080',
    pattern: '^https?://',
  }),
  EARSHOT_API_KEY: text(
    'API key with which `earshot` and `npm start -- <recording>` ask a running Earshot that wants one',
  ),
  EARSHOT_API_KEYS_FILE: text(
    'JSON file of API keys, read again when it changes; required when HOST is not loopback',
  ),
} satisfies Record<string, TSchema>;

/** Names people bring along from a Celery set-up, and what to set instead. */
export const settingHints: Readonly<Record<string, string>> = {
  CELERY_CONCURRENCY: 'set WORKER_CONCURRENCY',
  CELERY_BROKER_URL: 'set NATS_URL, the broker is NATS JetStream',
  CELERY_RESULT_BACKEND: 'set DATABASE_URL, results are kept in PostgreSQL',
  REDIS_URL: 'set NATS_URL, the broker is NATS JetStream',
};

/** Rules of the strict configuration, for `loadConfig`. */
export const settingRules = { prefix: 'EARSHOT_', known: Object.keys(settings), hints: settingHints };

/** The caps of EARSHOT_MAX_ACK_PENDING by engine. */
export function parseMaxAckPending(value: string | undefined): Record<string, number> {
  const pairs = (value ?? '').split(',').filter(Boolean);
  return Object.fromEntries(
    pairs.map((pair) => pair.split('=') as [string, string]).map(([engine, cap]) => [engine, Number(cap)]),
  );
}
