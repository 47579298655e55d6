import { engineConformance } from '@earshot/engine/testing';
import { afterAll, beforeAll } from 'vitest';
import type { Fault } from './behaviour.ts';
import { blindEngine } from './blind-engine.ts';
import { freeEngine } from './free-engine.ts';
import { type FakeCloudProcess, startFakeCloud } from './launch.ts';
import { lookupEngine } from './lookup-engine.ts';

let cloud: FakeCloudProcess;
beforeAll(async () => {
  cloud = await startFakeCloud();
});
afterAll(() => cloud.dispose());

const speech = async () => ({
  channels: [{ channel: 0, samples: new Int16Array(10 * 16_000).fill(1000) }],
  duration_ms: 10_000,
});

const next = (fault: Fault) => () => cloud.behave({ faults: [fault] });

engineConformance('a free engine', {
  create: async () => freeEngine(cloud.url),
  speech,
  failures: { transient: next('error'), caller: next('unreadable') },
});
engineConformance('an engine whose calls can be looked up', {
  create: async () => lookupEngine(cloud.url),
  speech,
  failures: { transient: next('fail'), quota: next('quota'), caller: next('fail_for_good') },
});
engineConformance('an engine whose calls leave no trace', {
  create: async () => blindEngine(cloud.url),
  speech,
  failures: { transient: next('error'), quota: next('quota'), caller: next('unreadable') },
});
