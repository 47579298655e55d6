// `npm run test:deploy`: checks the files below deploy/ with the tools that will read them, and what else needs programs
// beside Node (Go, Python). Says what is missing and fetches what it can. Ends with `N passed, N failed`.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensurePackages } from './bootstrap.mjs';
import { findPromtool } from './deploy/promtool.mjs';
import { closingLine, sum, vitestCounts } from './report.mjs';

const run = promisify(execFile);
const root = fileURLToPath(new URL('..', import.meta.url));
const deploy = join(root, 'deploy');
const counts = { passed: 0, failed: 0 };

async function check(name, work) {
  try {
    await work();
    counts.passed += 1;
    console.log(`ok      ${name}`);
  } catch (error) {
    counts.failed += 1;
    console.log(`not ok  ${name}\n${error.stdout ?? ''}${error.stderr ?? error.message}`);
  }
}

/** Every query of a dashboard, with the variables of Grafana as it would fill them in, as a file of recording rules. */
function rulesOfDashboard(dashboard) {
  const queries = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  const filled = queries.map((expr) => expr.replaceAll('$__rate_interval', '5m'));
  const rules = filled.map((expr, at) => ({ record: `query:${at}`, expr }));
  return JSON.stringify({ groups: [{ name: 'dashboard', rules }] });
}

async function checkDashboard(promtool, file) {
  const folder = await mkdtemp(join(tmpdir(), 'earshot-dashboard-'));
  try {
    const dashboard = JSON.parse(await readFile(join(deploy, 'grafana', file), 'utf8'));
    await writeFile(join(folder, 'rules.yml'), rulesOfDashboard(dashboard));
    await run(promtool, ['check', 'rules', join(folder, 'rules.yml')]);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const promtool = await findPromtool((line) => console.log(line));
if (promtool) {
  const rules = join(deploy, 'prometheus/rules.yml');
  await check('prometheus: the rules are rules', () => run(promtool, ['check', 'rules', rules]));
  const config = join(deploy, 'prometheus/prometheus.yml');
  await check('prometheus: the configuration is one', () => run(promtool, ['check', 'config', config]));
  for (const file of (await readdir(join(deploy, 'prometheus/tests'))).sort()) {
    const tests = join(deploy, 'prometheus/tests', file);
    await check(`prometheus: ${file.replace('.yml', '')} fires and is silent`, () =>
      run(promtool, ['test', 'rules', tests]),
    );
  }
  for (const file of (await readdir(join(deploy, 'grafana'))).filter((name) => name.endsWith('.json'))) {
    await check(`grafana: the queries of ${file} are queries`, () => checkDashboard(promtool, file));
  }
} else {
  await check('promtool', () => {
    throw new Error('install promtool (Debian: the package prometheus) or Go\n');
  });
}

/** Runs the tests of vitest.deploy.config.ts. */
async function vitest() {
  const folder = await mkdtemp(join(tmpdir(), 'earshot-deploy-'));
  try {
    const file = join(folder, 'report.json');
    const args = ['run', '--config', 'vitest.deploy.config.ts', '--reporter=default', '--reporter=json'];
    const tool = join(root, 'node_modules/vitest/vitest.mjs');
    const child = spawn(process.execPath, [tool, ...args, `--outputFile.json=${file}`], {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const [exitCode] = await once(child, 'exit');
    const report = await readFile(file, 'utf8').then(JSON.parse, () => undefined);
    return vitestCounts(report, exitCode ?? 1);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

await ensurePackages({ dev: true });
const total = sum([counts, await vitest()]);
console.log(closingLine(total));
process.exitCode = total.failed === 0 ? 0 : 1;
