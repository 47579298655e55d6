// `nx serve <service>`: starts or joins this folder's NATS and PostgreSQL, then runs the service from source and
// restarts it when a file changes.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const service = process.argv[2] ?? '';
if (!/^[a-z]+$/.test(service)) {
  process.stderr.write('usage: nx serve ingest|transcription|results|combined\n');
  process.exit(2);
}
