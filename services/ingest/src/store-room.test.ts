import { describe, expect, it } from 'vitest';
import { storeRoom } from './store-room.ts';

const budget = (name: string, bytes: number) => ({ name, bytes, limit: 100 });

describe('storeRoom', () => {
  it('is closed to uploads from 80 % of any budget on', async () => {
    await expect(storeRoom(async () => [budget('account', 79)]).requireForUpload()).resolves.toBeUndefined();
    const full = storeRoom(async () => [budget('account', 10), budget('TRANSCRIPTS', 80)]);
    await expect(full.requireForUpload()).rejects.toMatchObject({ code: 'storage_full' });
    expect(await full.hasForAccepting()).toBe(false);
  });

  it('lets upload events be accepted while only their own stream is full: nothing else drains it', async () => {
    const room = storeRoom(async () => [budget('account', 10), budget('UPLOADS', 99)]);
    await expect(room.requireForUpload()).rejects.toMatchObject({ code: 'storage_full' });
    expect(await room.hasForAccepting()).toBe(true);
  });

  it('passes on that nothing is known', async () => {
    const room = storeRoom(() => Promise.reject(new Error('no broker')));
    await expect(room.requireForUpload()).rejects.toThrow('no broker');
    await expect(room.hasForAccepting()).rejects.toThrow('no broker');
  });
});
