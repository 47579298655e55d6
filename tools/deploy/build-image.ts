import { execFile } from 'node:child_process';
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { promisify } from 'node:util';
import { baseImage } from './base-image.mjs';
import { contextFiles } from './context-files.ts';
import { toolCache } from './go-tools.mjs';
import { MountNamespace } from './mount-namespace.ts';
import { type ReadDockerfile, readDockerfile, type Stage, type Step } from './read-dockerfile.ts';

/** What an image tells whoever starts it. */
export interface ImageConfig {
  readonly env: Readonly<Record<string, string>>;
  readonly workdir: string;
  readonly user: string;
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly ports: readonly string[];
  readonly healthcheck?: { readonly flags: Readonly<Record<string, string>>; readonly command: string[] };
}

/** Layers, the topmost first, as folders of the builder's namespace. */
export interface Image {
  readonly layers: readonly string[];
  readonly config: ImageConfig;
}

type Names = Readonly<Record<string, string | undefined>>;

interface Building {
  config: ImageConfig;
  /** ARGs that were declared in this stage. */
  args: Record<string, string | undefined>;
  /** Where its file system is mounted. */
  readonly root: string;
}

/** `$NAME` and `${NAME}`, as the builder fills them in outside RUN. */
const expand = (text: string, names: Names) =>
  text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced, plain) => names[braced ?? plain] ?? '');

/**
 * Does what a Dockerfile says, step by step, without an engine: overlays of Linux for layers, chroot for RUN. The base image
 * is made of Debian's packages and Node from npm. A stage that two images share is built once.
 */
export class ImageBuilder {
  readonly namespace: MountNamespace;
  readonly #dockerfile: ReadDockerfile;
  readonly #context: string;
  readonly #stages = new Map<string, Promise<Image>>();
  readonly #network: Names;
  #folders = 0;

  private constructor(
    namespace: MountNamespace,
    dockerfile: ReadDockerfile,
    context: string,
    network: Names,
  ) {
    this.namespace = namespace;
    this.#dockerfile = dockerfile;
    this.#context = context;
    this.#network = network;
  }

  static async open(context: string, file: string): Promise<ImageBuilder> {
    const dockerfile = readDockerfile(await readFile(join(context, file), 'utf8'));
    const network = await networkOfThisMachine();
    return new ImageBuilder(await MountNamespace.open(), dockerfile, context, network);
  }

  /** The image of the last stage. */
  build(args: Names): Promise<Image> {
    const names = { ...this.#dockerfile.args, ...args };
    return this.#stage(this.#dockerfile.stages.at(-1) as Stage, names);
  }

  /** A new folder of the namespace. */
  async folder(): Promise<string> {
    this.#folders += 1;
    const folder = join(this.namespace.folder, String(this.#folders));
    await this.namespace.sh('mkdir "$1"', folder);
    return folder;
  }

  /** The text of a file of an image. */
  async read({ layers }: Image, path: string): Promise<string> {
    const script = 'mount -t overlay overlay -o "ro,lowerdir=$1" "$2" && cat "$2$3" && umount "$2"';
    return this.namespace.sh(script, layers.join(':'), await this.folder(), path);
  }

  close(): Promise<void> {
    return this.namespace.close();
  }

  #named(name: string, names: Names): Promise<Image> {
    const stage = this.#dockerfile.stages.find((one) => one.name === name);
    return stage ? this.#stage(stage, names) : this.#base(name);
  }

  /** Built once for the same values of the arguments that this stage, and those it is made of, ask for. */
  #stage(stage: Stage, names: Names): Promise<Image> {
    const asked = this.#asked(stage, names).map((name) => [name, names[name]]);
    return this.#once(JSON.stringify([this.#dockerfile.stages.indexOf(stage), asked]), () =>
      this.#build(stage, names),
    );
  }

  #asked(stage: Stage, names: Names): string[] {
    const own = stage.steps.flatMap(({ keyword, properties }) =>
      keyword === 'ARG' ? Object.keys(properties) : [],
    );
    const inFrom = [...stage.from.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name ?? '');
    const others = [stage.from, ...stage.steps.map(({ flags }) => flags.from ?? '')].map((name) =>
      this.#dockerfile.stages.find((one) => one.name === expand(name, names)),
    );
    const theirs = others.flatMap((one) => (one ? this.#asked(one, names) : []));
    return [...new Set([...own, ...inFrom, ...theirs])].sort();
  }

  #once(key: string, build: () => Promise<Image>): Promise<Image> {
    const known = this.#stages.get(key) ?? build();
    this.#stages.set(key, known);
    return known;
  }

  #base(name: string): Promise<Image> {
    return this.#once(name, async () => {
      const file = await baseImage(name, (line) => process.stdout.write(`${line}\n`));
      const folder = await this.folder();
      await this.namespace.sh('tar -xf "$1" -C "$2" --exclude=./dev/*', file, folder);
      const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
      const config = { env: { PATH }, workdir: '/', user: '0:0', entrypoint: [], cmd: ['node'], ports: [] };
      return { layers: [folder], config };
    });
  }

  async #build(stage: Stage, names: Names): Promise<Image> {
    const from = await this.#named(expand(stage.from, names), names);
    const folder = await this.folder();
    const root = join(folder, 'root');
    await this.namespace.sh(MOUNT_STAGE, folder, from.layers.join(':'), ...(await this.#caches()));
    const building: Building = { config: from.config, args: {}, root };
    for (const step of stage.steps) await this.#step(step, building, names);
    await this.namespace.sh('umount -R "$1/root"', folder);
    return { layers: [join(folder, 'up'), ...from.layers], config: building.config };
  }

  /** What an engine would keep between builds: packages of npm and Debian, and the fetched model. */
  async #caches(): Promise<string[]> {
    const archives = join(toolCache(), 'apt-archives');
    await mkdir(archives, { recursive: true });
    const { stdout } = await promisify(execFile)('npm', ['config', 'get', 'cache']);
    const npm = stdout.trim();
    await mkdir(npm, { recursive: true });
    return [npm, archives, toolCache()];
  }

  async #step(step: Step, building: Building, names: Names): Promise<void> {
    const { keyword, properties } = step;
    const known = { ...building.args, ...building.config.env };
    const words = step.words.map((word) => expand(word, known));
    const set = (config: Partial<ImageConfig>) => {
      building.config = { ...building.config, ...config };
    };
    const dockerfileDefaults = (name: string, value: string | undefined) => names[name] ?? value;
    switch (keyword) {
      case 'ARG':
        for (const [name, value] of Object.entries(properties))
          building.args[name] = dockerfileDefaults(name, value);
        return;
      case 'ENV': {
        const values = Object.entries(properties).map(([name, value]) => [name, expand(value ?? '', known)]);
        return set({ env: { ...building.config.env, ...Object.fromEntries(values) } });
      }
      case 'WORKDIR':
        set({ workdir: posix.resolve(building.config.workdir, words[0] ?? '') });
        await this.namespace.sh('mkdir -p "$1"', building.root + building.config.workdir);
        return;
      case 'USER':
        return set({ user: words[0] ?? '' });
      case 'EXPOSE':
        return set({ ports: [...building.config.ports, ...words] });
      case 'ENTRYPOINT':
      case 'CMD':
        return set({ [keyword.toLowerCase()]: step.list ? step.words : ['/bin/sh', '-c', step.text] });
      case 'HEALTHCHECK':
        return set({ healthcheck: { flags: step.flags, command: commandOf(step) } });
      case 'COPY':
        return this.#copy(words, step.flags.from, building, names);
      case 'RUN':
        return this.#run(step.text, building);
      default:
        throw new Error(`${keyword} is not known here`);
    }
  }

  async #copy(words: readonly string[], from: string | undefined, building: Building, names: Names) {
    const { workdir } = building.config;
    const [to = '', ...sources] = [words.at(-1) ?? '', ...words.slice(0, -1)];
    const target = building.root + posix.resolve(workdir, to) + (to.endsWith('/') ? '/' : '');
    if (from === undefined) {
      if (sources.join() !== '.') throw new Error(`COPY ${words.join(' ')}: only the whole context is`);
      const files = join(await this.folder(), 'files');
      const list = (await contextFiles(this.#context)).join('\n');
      await this.namespace.sh(
        'printf %s "$2" | base64 --decode > "$1"',
        files,
        Buffer.from(list).toString('base64'),
      );
      await this.namespace.sh(COPY_CONTEXT, this.#context, target, files);
      return;
    }
    const { layers } = await this.#named(expand(from, names), names);
    await this.namespace.sh(COPY_FROM, await this.folder(), layers.join(':'), target, ...sources);
  }

  async #run(command: string, { config, args, root }: Building): Promise<void> {
    const all = { HOME: '/root', ...this.#network, ...args, ...config.env };
    const values = Object.entries(all).filter(([, value]) => value !== undefined);
    const env = values.map(([name, value]) => `${name}=${value}`);
    const users = ['chroot', `--userspec=${config.user}`, root];
    await this.namespace.sh(
      'exec "$@"',
      ...users,
      'env',
      '-i',
      `--chdir=${config.workdir}`,
      ...env,
      '/bin/sh',
      '-c',
      command,
    );
  }
}

/** How this machine gets out, as an engine hands it to RUN: proxies, and who vouches for them. */
async function networkOfThisMachine(): Promise<Names> {
  const names = Object.keys(process.env).filter((name) => /^(https?|no)_proxy$/i.test(name));
  const proxies = Object.fromEntries(names.map((name) => [name, process.env[name]]));
  const authorities = process.env.NODE_EXTRA_CA_CERTS;
  const network = { ...proxies, npm_config_prefer_offline: 'true' };
  if (!authorities) return network;
  await copyFile(authorities, join(toolCache(), 'extra-ca.pem'));
  return { ...network, NODE_EXTRA_CA_CERTS: '/root/.cache/earshot/extra-ca.pem' };
}

/** `CMD ["program", "argument"]`, as it stands behind the options of HEALTHCHECK. */
function commandOf({ text }: Step): string[] {
  const [, list] = /CMD\s+(\[.*\])\s*$/s.exec(text) ?? [];
  if (!list) throw new Error(`HEALTHCHECK ${text}: only the list form is known here`);
  return JSON.parse(list);
}

const MOUNT_STAGE = `
mkdir "$1/up" "$1/work" "$1/root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/up,workdir=$1/work" "$1/root"
mount -t proc proc "$1/root/proc"
mount --rbind /dev "$1/root/dev"
cat /etc/resolv.conf > "$1/root/etc/resolv.conf"
cat /etc/hosts > "$1/root/etc/hosts"
mkdir -p "$1/root/root/.npm" "$1/root/root/.cache/earshot"
mount --bind "$3" "$1/root/root/.npm"
mount --bind "$4" "$1/root/var/cache/apt/archives"
mount --bind "$5" "$1/root/root/.cache/earshot"
`;

const COPY_CONTEXT = `
mkdir -p "$2"
tar --create --directory="$1" --files-from="$3" --verbatim-files-from | tar --extract --directory="$2" --no-same-owner
`;

const COPY_FROM = `
mount -t overlay overlay -o "ro,lowerdir=$2" "$1"
from="$1" to="$3"
shift 3
for source in "$@"; do
  if [ -d "$from$source" ]; then mkdir -p "$to" && cp -a "$from$source/." "$to"
  else
    case "$to" in */) mkdir -p "$to";; *) mkdir -p "\${to%/*}";; esac
    cp -a "$from$source" "$to"
  fi
done
umount "$from"
`;
