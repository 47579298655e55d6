import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const script = fileURLToPath(new URL('../deploy/google/setup-bucket-notifications.sh', import.meta.url));
const URL_OF_PUSHES = 'https://earshot.example.com/v1/events/pubsub';
const GIVEN = ['--project', 'p-1', '--bucket', 'gs://acme-uploads', '--url', URL_OF_PUSHES];
const EMAIL = 'earshot-push@p-1.iam.gserviceaccount.com';

/** A gcloud that notes what it is asked; what was made by it, or is in the file `there`, exists. */
const GCLOUD = `#!/usr/bin/env bash
folder=$(dirname "$0")
echo "$*" >> "$folder/calls"
there() { grep -q -x -F -e "$1" "$folder/there" 2>/dev/null; }
case "$*" in
  'storage service-agent'*) echo agent@gs-project-accounts.iam.gserviceaccount.com ;;
  'projects describe'*) echo 4711 ;;
  'storage buckets notifications list'*) there notification && echo '//pubsub.googleapis.com/projects/p-1/topics/earshot-uploads' ; exit 0 ;;
  *' describe '*) there "$2 $4" ;;
  'storage buckets notifications create'*) echo notification >> "$folder/there" ;;
  'iam service-accounts create'*) echo "service-accounts $4@p-1.iam.gserviceaccount.com" >> "$folder/there" ;;
  *' create '*) echo "$2 $4" >> "$folder/there" ;;
esac
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'earshot-gcloud-'));
  await writeFile(join(folder, 'gcloud'), GCLOUD);
  await chmod(join(folder, 'gcloud'), 0o755);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function run(...args: string[]) {
  const env = { PATH: `${folder}:/usr/local/bin:/usr/bin:/bin` };
  const ended = new Promise<{ code: number; out: string; err: string }>((resolve) => {
    execFile('bash', [script, ...args], { env }, (error, out, err) =>
      resolve({ code: error ? Number(error.code) : 0, out, err }),
    );
  });
  const { code, out, err } = await ended;
  const calls = (await readFile(join(folder, 'calls'), 'utf8').catch(() => '')).split('\n').filter(Boolean);
  await rm(join(folder, 'calls'), { force: true });
  return { code, out, err, calls, made: calls.filter((call) => / create /.test(call)) };
}

describe('setup-bucket-notifications.sh', () => {
  it('makes topic, notification, account and subscription, each with the rights it needs', async () => {
    const { code, calls, out, err } = await run(...GIVEN, '--prefix', 'in/', '--reader', 'earshot@p-1.iam');
    expect([code, err]).toEqual([0, '']);
    expect(calls).toEqual(
      expect.arrayContaining([
        'pubsub topics create earshot-uploads --project=p-1',
        'pubsub topics add-iam-policy-binding earshot-uploads --project=p-1 --member=serviceAccount:agent@gs-project-accounts.iam.gserviceaccount.com --role=roles/pubsub.publisher',
        'storage buckets notifications create gs://acme-uploads --topic=projects/p-1/topics/earshot-uploads --event-types=OBJECT_FINALIZE --payload-format=json --object-prefix=in/',
        'iam service-accounts create earshot-push --project=p-1 --display-name=Pushes bucket notifications to Earshot',
        `iam service-accounts add-iam-policy-binding ${EMAIL} --project=p-1 --member=serviceAccount:service-4711@gcp-sa-pubsub.iam.gserviceaccount.com --role=roles/iam.serviceAccountTokenCreator`,
        `pubsub subscriptions create earshot-uploads-push --project=p-1 --topic=earshot-uploads --push-endpoint=${URL_OF_PUSHES} --push-auth-service-account=${EMAIL} --push-auth-token-audience=${URL_OF_PUSHES} --ack-deadline=60 --message-retention-duration=7d --expiration-period=never --min-retry-delay=10s --max-retry-delay=600s`,
        'storage buckets add-iam-policy-binding gs://acme-uploads --member=serviceAccount:earshot@p-1.iam --role=roles/storage.objectViewer',
      ]),
    );
    expect(calls.filter((call) => call.includes('add-iam-policy-binding'))).toHaveLength(3);
    expect(out).toContain(`EARSHOT_PUBSUB_AUDIENCE=${URL_OF_PUSHES}`);
    expect(out).toContain(`EARSHOT_PUBSUB_SERVICE_ACCOUNT=${EMAIL}`);
  });

  it('makes nothing twice, and sets the subscription to what is asked for now', async () => {
    expect((await run(...GIVEN)).made).toHaveLength(4);
    const again = await run(...GIVEN, '--audience', 'other');
    expect([again.code, again.made]).toEqual([0, []]);
    expect(again.calls.join('\n')).toMatch(/subscriptions update earshot-uploads-push .*audience=other/);
  });

  it('only prints with --dry-run', async () => {
    const { code, out, calls } = await run(...GIVEN, '--dry-run', '--prefix', 'two words/');
    expect(code).toBe(0);
    expect(calls.filter((call) => / (create|update|enable|add-iam-policy-binding) /.test(call))).toEqual([]);
    expect(out).toContain('gcloud pubsub topics create earshot-uploads --project=p-1');
    expect(out).toContain('--object-prefix=two\\ words/');
  });

  it('explains itself, and refuses what it does not understand before anything is made', async () => {
    expect(await run('--help')).toMatchObject({
      code: 0,
      out: expect.stringContaining('--dry-run'),
      calls: [],
    });
    const wrong: [string[], string][] = [
      [['--bucket', 'b'], '--project is missing'],
      [['--project', 'p'], '--bucket is missing'],
      [['--project', 'p', '--bucket', 'b', '--url', 'http://x/v1/events/pubsub'], '--url must be'],
      [[...GIVEN, '--nonsense', 'x'], '--nonsense is no option'],
      [[...GIVEN, '--prefix'], '--prefix needs a value'],
    ];
    for (const [args, why] of wrong)
      expect(await run(...args)).toMatchObject({ code: 2, err: expect.stringContaining(why), calls: [] });
  });

  it('ends with an error when gcloud does', async () => {
    await writeFile(join(folder, 'gcloud'), '#!/usr/bin/env bash\nexit 1\n');
    expect(await run(...GIVEN)).toMatchObject({ code: 1 });
  });
});
