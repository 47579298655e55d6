// Learns of finished transcripts, also of those that finished while this program was away.
// Run: node consume.mjs <how many>
import { AckPolicy, connect } from 'nats';

const wanted = Number(process.argv[2] ?? 1);
const broker = await connect({
  servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
  // Where users have passwords; `consumer` of our server file hears answers below _INBOX_consumer alone.
  user: process.env.NATS_USER,
  pass: process.env.NATS_PASSWORD,
  inboxPrefix: process.env.NATS_INBOX_PREFIX ?? '_INBOX',
});
// Each program has a durable consumer of its own; the user `consumer` may have the one of this name only.
const DURABLE = 'consumer';

// A durable consumer remembers its place on the server. Creating the same one again changes nothing.
const manager = await broker.jetstreamManager();
await manager.consumers.add('TRANSCRIPTS', {
  durable_name: DURABLE,
  filter_subject: 'transcripts.*.*.completed',
  ack_policy: AckPolicy.Explicit,
});

const consumer = await broker.jetstream().consumers.get('TRANSCRIPTS', DURABLE);
const lines = [];
const messages = await consumer.consume({ max_messages: 1 });
for await (const message of messages) {
  const { data } = message.json();
  // Delivery is at least once: keep the highest revision of each transcript.
  lines.push(
    `${data.session_id}: ${data.status}, ${Math.round(data.duration_ms / 1000)} s, revision ${data.revision}`,
  );
  message.ack();
  if (lines.length === wanted) break;
}
console.log(lines.sort().join('\n'));
await broker.drain();
