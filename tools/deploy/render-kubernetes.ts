import { execFile } from 'node:child_process';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';

const run = promisify(execFile);
const kubernetes = join(import.meta.dirname, '../../k8s');

/** A document of Kubernetes, as far as it is looked at. */
// biome-ignore lint/suspicious/noExplicitAny: what a manifest holds depends on its kind; the schemas are checked elsewhere.
export type Manifest = { kind: string; metadata: { name: string }; [field: string]: any };

/** What kustomize makes of a folder below k8s/, document by document. */
export async function render(kustomize: string, folder: string, root = kubernetes): Promise<Manifest[]> {
  const { stdout } = await run(kustomize, ['build', join(root, folder)], { maxBuffer: 16 * 1024 * 1024 });
  return parseAllDocuments(stdout).map((document) => document.toJS() as Manifest);
}

/** The base with some components, as somebody would put them together who copied k8s/ to `copy`. */
export async function renderWith(
  kustomize: string,
  copy: string,
  components: readonly string[],
): Promise<Manifest[]> {
  await cp(kubernetes, copy, { recursive: true });
  const folder = join(copy, 'overlays/own');
  await mkdir(folder);
  const list = components.map((name) => `  - ../../components/${name}\n`).join('');
  await writeFile(
    join(folder, 'kustomization.yaml'),
    `resources:\n  - ../../base\n${list ? `components:\n${list}` : ''}`,
  );
  return render(kustomize, 'overlays/own', copy);
}
