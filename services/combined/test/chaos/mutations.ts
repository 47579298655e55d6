/** One rule of the product taken away, as an edit of its source. */
export interface Mutation {
  readonly name: string;
  readonly edits: readonly { readonly file: string; readonly find: string; readonly replace: string }[];
}

const LOOP = 'libs/messaging/src/loop';

/** Each must be noticed by the checker: a rule that can be taken away unnoticed is not watched. */
export const mutations: readonly Mutation[] = [
  {
    name: 'ack before the effect is durable',
    edits: [
      {
        file: `${LOOP}/fact-loop.ts`,
        find: '    const facts = batch.map(toFact);',
        replace:
          '    const facts = batch.map(toFact);\n    for (const delivery of batch) this.#answer(delivery, ACK);',
      },
    ],
  },
  {
    name: 'ledger claim left out',
    edits: [
      {
        file: 'services/transcription/src/paid/payment.ts',
        find: "const intent = await entry.decide('intent', { output_uri, worker, created_at: new Date().toISOString() });",
        replace:
          'const intent = { output_uri, worker, created_at: new Date().toISOString() };\n  await Promise.resolve(entry);',
      },
    ],
  },
  {
    name: 'fire-and-forget ack',
    edits: [
      {
        file: 'libs/messaging/src/take/acknowledge.ts',
        find: 'await requests.request(reply, words, { timeoutMs });',
        replace: 'void requests.request(reply, words, { timeoutMs }).catch(() => undefined);',
      },
    ],
  },
  {
    name: 'consume() for single pulls',
    edits: [
      {
        file: 'libs/messaging/src/take/taker.ts',
        find: 'inbox.pull({ durable, batch, quietMs: QUIET_MS',
        replace: 'inbox.pull({ durable, batch: 100, quietMs: QUIET_MS',
      },
      {
        file: `${LOOP}/message-loop.ts`,
        find: '      answerPlainly(this.#options.broker, delivery.reply, NAK);\n      return;',
        replace:
          '      if (this.#stopped) answerPlainly(this.#options.broker, delivery.reply, NAK);\n      else setTimeout(() => this.#receive(delivery), 20);\n      return;',
      },
    ],
  },
  {
    name: 'delayed nak for schedules',
    edits: [
      {
        file: `${LOOP}/job-policy.ts`,
        find: "    if (outcome.kind === 'interrupted') return { settled: 'interrupted', answer: NAK };",
        replace:
          "    if (outcome.kind === 'interrupted') return { settled: 'interrupted', answer: NAK };\n    if (outcome.kind === 'retry') return { settled: 'retry', answer: '-NAK {\"delay\": 1000000000}' };",
      },
    ],
  },
  {
    name: 'upsert without first-wins',
    edits: [
      {
        file: 'services/results/src/store/sql/chunks.ts',
        find: 'ON CONFLICT DO NOTHING',
        replace: 'ON CONFLICT (transcript_id, plan, n) DO UPDATE SET segments = EXCLUDED.segments',
      },
    ],
  },
  {
    name: 'job subjects without ids',
    edits: [
      {
        file: 'libs/contracts/src/chunk-job/message.ts',
        find: 'id: data.transcript_id',
        replace: "id: 'any'",
      },
    ],
  },
];
