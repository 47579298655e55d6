/** Quotes a path for a POSIX shell. */
const quoted = (path: string) => (/^[\w./@:+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);

/** What `npm start` prints once everything runs: addresses, and commands that work as printed. */
export function readyMessage(ready: {
  url: string;
  natsUrl: string;
  sample: string | undefined;
  keyed: boolean;
}): string {
  const file = quoted(ready.sample ?? 'recording.mp3');
  const key = ready.keyed ? " -H 'Authorization: Bearer <key>'" : '';
  return `
Earshot is ready: ${ready.url}
  NATS            ${ready.natsUrl}
  submit          curl${key} -F file=@${file} ${ready.url}/v1/recordings
  list            curl${key} ${ready.url}/v1/transcripts
  stop            Ctrl-C
`;
}
