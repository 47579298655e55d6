import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse, stringify } from 'yaml';
import { keep } from './debian-tools.mjs';
import { goTool, toolCache } from './go-tools.mjs';

const run = promisify(execFile);
const manifest = fileURLToPath(new URL('otel-collector.yml', import.meta.url));

/**
 * The path of an OpenTelemetry collector with the parts that its manifest names: from the cache, else built by the project's
 * own builder and Go. Throws, saying what to install, without Go.
 * @param {(line: string) => void} [say] is told what is done
 */
export async function findCollector(say = () => {}) {
  const text = await readFile(manifest, 'utf8');
  const path = join(
    toolCache(),
    'go',
    `otelcol-${createHash('sha256').update(text).digest('hex').slice(0, 12)}`,
  );
  if (await exists(path)) return path;
  say('the OpenTelemetry collector is missing: build it with Go, for a minute or more');
  const builder = await goTool('builder', say);
  const folder = await mkdtemp(join(tmpdir(), 'earshot-otelcol-'));
  try {
    const parts = parse(text);
    const file = join(folder, 'manifest.yml');
    await writeFile(file, stringify({ ...parts, dist: { ...parts.dist, output_path: join(folder, 'out') } }));
    await run(builder, ['--config', file], { timeout: 900_000, maxBuffer: 16 * 1024 * 1024 });
    await keep(join(folder, 'out', parts.dist.name), path);
    return path;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const exists = (path) =>
  access(path).then(
    () => true,
    () => false,
  );
