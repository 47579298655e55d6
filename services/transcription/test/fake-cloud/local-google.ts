import { createGoogleEngine } from '@earshot/engine-google';
import { openFileStorage } from '@earshot/storage-file';
import type { EngineTable } from '../../src/engines.ts';

/** What the folder is called as a bucket. */
const BUCKET = 'gs://folder/';

/** The engine `google` over a Speech-to-Text of this machine, with a folder in place of the staging bucket. */
export const localGoogle = (endpoint: string, root: string): EngineTable => ({
  google: {
    runs: 'parent',
    load: async () => {
      const folder = await openFileStorage({ root });
      const staging = Object.assign(folder, { addressOf: (key: string) => `${BUCKET}${key}` });
      return createGoogleEngine({ access: { projectId: 'local', endpoint }, staging });
    },
  },
});
