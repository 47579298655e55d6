import { describe, expect, it } from 'vitest';
import { ELSS, useContract } from './broker.ts';

describe('broker contract: what keeps messages unique', () => {
  const broker = useContract();
  const HOUR = 3600e9;

  it('L8: a work queue forgets a message id with ack and restart; a limits stream does not', async () => {
    const queue = await broker().queue(0, {}, { duplicate_window: HOUR });
    const facts = await broker().stream({ retention: 'limits', duplicate_window: HOUR });
    const id = { 'Nats-Msg-Id': 'same' };
    await broker().publish(`${queue}.x`, '', id);
    await broker().publish(`${facts}.x`, '', id);
    await broker().answer(await broker().take(queue), '+ACK');
    await broker().restart();
    expect((await broker().publish(`${queue}.x`, '', id)).duplicate).toBeUndefined();
    expect((await broker().publish(`${facts}.x`, '', id)).duplicate).toBe(true);
  });

  it('ELSS 0 refuses a second copy while the first is queued or in flight, and takes it after the ack', async () => {
    const queue = await broker().queue(0, { ack_wait: 10e9 });
    const again = () => broker().publish(`${queue}.x`, '', { [ELSS]: '0' });
    expect((await again()).error).toBeUndefined();
    expect((await again()).error?.err_code).toBe(10071);
    const message = await broker().take(queue);
    expect((await again()).error?.err_code).toBe(10071);
    await broker().answer(message, '+ACK');
    expect((await again()).error).toBeUndefined();
  });

  it('ELSS 0 is checked before the message id: a repeat is refused, not called a duplicate', async () => {
    const queue = await broker().queue(0, {}, { duplicate_window: HOUR });
    const both = { [ELSS]: '0', 'Nats-Msg-Id': 'same' };
    await broker().publish(`${queue}.x`, '', both);
    const repeat = await broker().publish(`${queue}.x`, '', both);
    expect(repeat.duplicate).toBeUndefined();
    expect(repeat.error?.err_code).toBe(10071);
  });

  it('ELSS 0 looks at a wider subject when told, and a fact kept by a purge still refuses', async () => {
    const facts = await broker().stream({ retention: 'limits' });
    const accept = () =>
      broker().publish(`${facts}.t.id.accepted`, '', { [ELSS]: '0', [`${ELSS}-Subject`]: `${facts}.t.id.>` });
    await broker().publish(`${facts}.t.other.accepted`);
    await broker().publish(`${facts}.t.id.chunk.1.0`);
    await broker().publish(`${facts}.t.id.deleted`);
    expect((await accept()).error?.err_code).toBe(10071);
    await broker().api(`STREAM.PURGE.${facts}`, { filter: `${facts}.t.id.>`, keep: 1 });
    expect(await broker().count(facts)).toBe(2);
    expect((await accept()).error?.err_code).toBe(10071);
  });

  it('purge with keep: 1 keeps the last message of a tree, whichever it is; purge with seq keeps what you mean', async () => {
    const facts = await broker().stream({ retention: 'limits' });
    await broker().publish(`${facts}.id.accepted`);
    const { seq } = await broker().publish(`${facts}.id.deleted`);
    await broker().publish(`${facts}.id.chunk.1.0`, 'late');
    const kept = async () =>
      (await broker().api<{ message: { subject: string } }>(`STREAM.MSG.GET.${facts}`, { seq })).message
        ?.subject;
    await broker().api(`STREAM.PURGE.${facts}`, { filter: `${facts}.id.>`, seq });
    expect(await kept()).toBe(`${facts}.id.deleted`);
    await broker().api(`STREAM.PURGE.${facts}`, { filter: `${facts}.id.>`, keep: 1 });
    expect(await kept()).toBeUndefined();
    expect(await broker().count(facts)).toBe(1);
  });

  it('last_by_subj takes wildcards, and says 10037 where there is nothing', async () => {
    const facts = await broker().stream({ retention: 'limits' });
    await broker().publish(`${facts}.id.accepted`);
    await broker().publish(`${facts}.id.chunk.1.0`);
    const last = async (subject: string) =>
      broker().api<{ message?: { subject: string }; error?: { err_code: number } }>(
        `STREAM.MSG.GET.${facts}`,
        { last_by_subj: subject },
      );
    expect((await last(`${facts}.id.>`)).message?.subject).toBe(`${facts}.id.chunk.1.0`);
    expect((await last(`${facts}.id.*`)).message?.subject).toBe(`${facts}.id.accepted`);
    expect((await last(`${facts}.none.*`)).error?.err_code).toBe(10037);
  });
});
