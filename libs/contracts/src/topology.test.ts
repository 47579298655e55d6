import { describe, expect, it } from 'vitest';
import { factSubjects, laterSubject, parseFactSubject, splitJobSubject } from './subjects.ts';
import { shareCap, topology } from './topology.ts';

const settings = {
  engines: ['sherpa', 'google'],
  ackWaitSeconds: 15,
  maxAckPending: { google: 8 },
  storeBytes: 1000,
  factsDays: 7,
  replicas: 1,
};

describe('topology', () => {
  it('is pure: the same settings give the same data, and none are changed', () => {
    const frozen = Object.freeze({ ...settings, engines: Object.freeze([...settings.engines]) });
    expect(topology(frozen)).toEqual(topology(settings));
    expect(JSON.parse(JSON.stringify(topology(settings)))).toEqual(topology(settings));
  });

  it('gives the streams their parts of the budget', () => {
    const bytes = Object.fromEntries(
      topology(settings).streams.map(({ name, max_bytes }) => [name, max_bytes]),
    );
    expect(bytes).toEqual({ UPLOADS: 100, JOBS: -1, TRANSCRIPTS: 400, KV_workers: 10, KV_spend: 20 });
  });

  it('has three consumers for each engine whose limits add up to its cap', () => {
    const caps = topology(settings)
      .consumers.filter(({ durable }) => durable.startsWith('chunk-google-'))
      .map(({ durable, max_ack_pending }) => [durable, max_ack_pending]);
    expect(caps).toEqual([
      ['chunk-google-high', 2],
      ['chunk-google-normal', 5],
      ['chunk-google-low', 1],
    ]);
  });

  it('covers every subject by exactly one consumer of its stream', () => {
    const filters = topology(settings).consumers.map(({ filter_subject }) => filter_subject);
    expect(new Set(filters).size).toBe(filters.length);
  });

  it('never sets a share of zero, which the broker would take for a thousand', () => {
    for (let cap = 3; cap < 300; cap += 1) {
      const { high, normal, low } = shareCap(cap);
      expect(high + normal + low).toBe(cap);
      expect(Math.min(high, normal, low)).toBeGreaterThan(0);
    }
    for (const cap of [2, 0, -1, 3.5, Number.NaN]) expect(() => shareCap(cap)).toThrow(RangeError);
  });
});

describe('subjects', () => {
  it('of facts can be parsed', () => {
    const facts = factSubjects('acme', 'id-1');
    expect(parseFactSubject(facts.chunk(1, 20))).toEqual({
      tenant: 'acme',
      id: 'id-1',
      words: ['chunk', '1', '20'],
    });
    expect(parseFactSubject(facts.accepted)?.words).toEqual(['accepted']);
    for (const bad of ['transcripts.acme.id-1', 'jobs.split.low.acme.id-1', '', 'transcripts']) {
      expect(parseFactSubject(bad)).toBeUndefined();
    }
  });

  it('of schedules follow from the job', () => {
    expect(laterSubject(splitJobSubject('low', 'acme', 'i'))).toBe('jobs.later.split.low.acme.i');
  });
});
