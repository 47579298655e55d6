import type { Msg } from 'nats';
import { describe, expect, it } from 'vitest';
import { differences } from '../topology/drift.ts';
import { parseDelivery } from './delivery.ts';
import { laneOrder } from './lane-order.ts';

describe('lane order', () => {
  it('is high first, every 4th time normal first, every 8th time low first', () => {
    const firsts = Array.from({ length: 16 }, (_, n) => laneOrder(['high', 'normal', 'low'], n + 1)[0]);
    expect(firsts.filter((lane) => lane === 'low')).toHaveLength(2);
    expect(firsts.filter((lane) => lane === 'normal')).toHaveLength(2);
    expect(laneOrder(['high', 'normal', 'low'], 8)).toEqual(['low', 'high', 'normal']);
    expect(laneOrder(['high', 'normal', 'low'], 4)).toEqual(['normal', 'high', 'low']);
  });

  it('is simply the one lane where there is only one', () => {
    for (let n = 1; n <= 8; n += 1) expect(laneOrder(['only'], n)).toEqual(['only']);
  });
});

describe('deliveries', () => {
  const message = (reply: string) => ({ subject: 's', reply, data: new Uint8Array() }) as unknown as Msg;
  const expected = { durable: 'chunk-x-high', count: 3, seq: 1795473777487, time: new Date(1795473777813) };

  it('are read from the short reply subject', () => {
    const reply = '$JS.ACK.JOBS.chunk-x-high.3.1795473777487.1.1795473777813805345.1';
    expect(parseDelivery(message(reply), 5)).toMatchObject({ ...expected, pulledAt: 5 });
  });

  it('are read from the long one with domain and account', () => {
    const reply = '$JS.ACK.hub.ACCHASH.JOBS.chunk-x-high.3.1795473777487.1.1795473777813805345.1.rnd';
    expect(parseDelivery(message(reply), 5)).toMatchObject(expected);
  });

  it('are told from status lines', () => {
    expect(parseDelivery(message(''), 5)).toBeUndefined();
  });
});

describe('differences', () => {
  it('take a field the broker leaves out for its zero, and lists in any order', () => {
    expect(differences('x', { a: false, b: 0, c: ['1', '2'] }, { c: ['2', '1'], d: 1 })).toEqual([]);
  });

  it('name field, actual and expected value', () => {
    expect(differences('stream X', { max_age: 5 }, {})).toEqual(['stream X: max_age is not set, expected 5']);
  });
});
