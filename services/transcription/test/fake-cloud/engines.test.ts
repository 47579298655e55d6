import { engineConformance } from '@earshot/engine/testing';
import { afterAll, beforeAll } from 'vitest';
import { freeEngine } from './free-engine.ts';
import { type FakeCloudProcess, startFakeCloud } from './launch.ts';

let cloud: FakeCloudProcess;
beforeAll(async () => {
  cloud = await startFakeCloud();
});
afterAll(() => cloud.dispose());

const speech = async () => ({
  channels: [{ channel: 0, samples: new Int16Array(10 * 16_000).fill(1000) }],
  duration_ms: 10_000,
});

engineConformance('a free engine', { create: async () => freeEngine(cloud.url), speech });
