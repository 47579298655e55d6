import type { Image, ImageBuilder } from './build-image.ts';

/** How an image is started: as a platform would that lets it write nowhere but where it says. */
export interface ContainerOptions {
  readonly env: Readonly<Record<string, string>>;
  /** Folders and files of this machine by their place in the container. */
  readonly mounts: Readonly<Record<string, string>>;
  /** Instead of the image's own command. */
  readonly cmd?: readonly string[];
}

/** A command line that starts an image in namespaces of its own, and one that runs another program in it. */
export interface Container {
  readonly start: [string, ...string[]];
  /** @param pid of the container's first process, as this machine counts */
  exec(pid: number, ...command: readonly string[]): [string, ...string[]];
}

/**
 * Prepares a container of an image: a root that is mounted read-only, an empty /tmp, no capabilities, the image's user, its
 * environment and its command. It shares the network of this machine.
 */
export async function prepareContainer(
  builder: ImageBuilder,
  { config, layers }: Image,
  { env, mounts, cmd = config.cmd }: ContainerOptions,
): Promise<Container> {
  const folder = await builder.folder();
  const [uid, gid = uid] = config.user.split(':');
  const users = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const noMore = ['--no-new-privs', '--bounding-set=-all', '--inh-caps=-all'];
  const variables = Object.entries({ HOME: '/tmp', ...config.env, ...env }).map(
    ([name, value]) => `${name}=${value}`,
  );
  const within = ['env', '-i', `--chdir=${config.workdir}`, ...variables];
  const asUser = ['setpriv', ...users, ...noMore];
  // unshare's own --kill-child is forgotten by the kernel when the user changes.
  const program = [...asUser, '--pdeathsig=KILL', ...within, ...config.entrypoint, ...cmd];
  const pairs = Object.entries(mounts).map(([inside, outside]) => `${outside}:${inside}`);
  const isolated = ['unshare', '--mount', '--pid', '--fork', '--kill-child'];
  const args = [folder, layers.join(':'), String(pairs.length), ...pairs, ...program];
  return {
    start: builder.namespace.inside(...isolated, 'sh', '-euc', START, 'sh', ...args),
    exec: (pid, ...command) => {
      const users = process.getuid?.() === 0 ? [] : ['--user', '--preserve-credentials'];
      return [
        'nsenter',
        `--target=${pid}`,
        ...users,
        '--mount',
        '--pid',
        `--root=/proc/${pid}/root`,
        ...asUser,
        ...within,
        ...command,
      ];
    },
  };
}

const START = `
root="$1/root"
mkdir "$1/up" "$1/work" "$root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$1/up,workdir=$1/work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
cat /etc/resolv.conf > "$root/etc/resolv.conf"
cat /etc/hosts > "$root/etc/hosts"
count="$3"
shift 3
while [ "$count" -gt 0 ]; do
  outside="\${1%%:*}" inside="$root\${1#*:}"
  if [ -d "$outside" ]; then mkdir -p "$inside"; else mkdir -p "\${inside%/*}" && touch "$inside"; fi
  mount --bind "$outside" "$inside"
  count=$((count - 1))
  shift
done
mount -o remount,ro "$root"
exec chroot "$root" "$@"
`;
