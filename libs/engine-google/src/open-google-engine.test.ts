import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openGoogleEngine } from './open-google-engine.ts';

/** A machine that has no identity in the cloud, and nobody's file. */
beforeEach(() => {
  vi.stubEnv('METADATA_SERVER_DETECTION', 'none');
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '');
  vi.stubEnv('HOME', '/nonexistent');
});
afterEach(() => vi.unstubAllEnvs());

const account = () => ({
  type: 'service_account',
  client_email: 'a@p.iam.gserviceaccount.com',
  private_key: generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  }).privateKey,
});

describe('an engine that is opened', () => {
  it('says what to set when there are no credentials', async () => {
    await expect(openGoogleEngine({ access: { projectId: 'p' } })).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('set GOOGLE_APPLICATION_CREDENTIALS_JSON'),
    });
  });

  it('takes the project of the credentials, and says so when there is none', async () => {
    const engine = await openGoogleEngine({
      access: { credentials: { ...account(), project_id: 'theirs' } },
    });
    expect(engine).toMatchObject({ name: 'google', model: 'chirp_3' });
    await engine.close();
    await expect(openGoogleEngine({ access: { credentials: account() } })).rejects.toMatchObject({
      message: expect.stringContaining('set GOOGLE_PROJECT_ID'),
    });
  });

  it.each([
    ['chirp_3', true, 20],
    ['chirp_3', false, 60],
    ['chirp_2', true, 480],
  ] as const)(
    'takes as much in one call as %s does with word times %s',
    async (model, wordTimes, minutes) => {
      const engine = await openGoogleEngine({ access: { endpoint: '127.0.0.1:1' }, model, wordTimes });
      expect(engine.capabilities).toMatchObject({ maxChunkMs: minutes * 60_000, wholeRecording: true });
      await engine.close();
    },
  );
});
