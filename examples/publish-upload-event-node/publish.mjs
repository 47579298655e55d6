// Tells Earshot that a recording exists. Run: node publish.mjs <storage key>
import { connect } from 'nats';

const key = process.argv[2] ?? 'default/samples/beckett.wav';
const broker = await connect({
  servers: process.env.NATS_URL ?? 'nats://127.0.0.1:4222',
  // Where users have passwords; `publisher` of our server file hears answers below _INBOX_publisher alone.
  user: process.env.NATS_USER,
  pass: process.env.NATS_PASSWORD,
  inboxPrefix: process.env.NATS_INBOX_PREFIX ?? '_INBOX',
});

const event = {
  specversion: '1.0',
  type: 'earshot.recording.uploaded.v1',
  source: 'https://api.example.com/uploads',
  id: 'upload-0001', // the same source and id never give a second transcript
  time: new Date().toISOString(),
  datacontenttype: 'application/json',
  data: { uri: key, session_id: 'session-42', priority: 'high', metadata: { shown_in: 'example' } },
};

// The acknowledgement says that the broker stored it. Repeat with the same source and id when none comes.
const ack = await broker.jetstream().publish('uploads.default', JSON.stringify(event));
console.log(`stored in ${ack.stream}`);
await broker.drain();
