import type { BlindCall, Refused, SpeechEngine } from '@earshot/engine';
import type { CallBody } from './cloud.ts';
import {
  checkLanguage,
  hearChannels,
  remoteCapabilities,
  soundingChannels,
  soundMs,
} from './hear-channels.ts';
import { refusedBy, refusedByNobody } from './refused.ts';
import type { SpokenChannel } from './spoken-text.ts';
import { vendorRequest } from './vendor-request.ts';

/** An engine whose calls answer the text, and leave no trace one could ask for. */
export function blindEngine(url: string): SpeechEngine {
  return {
    name: 'blind',
    model: 'hash',
    capabilities: { ...remoteCapabilities, billing: 'blind' },
    async *transcribe(input, { language = 'en' }, context) {
      context.signal.throwIfAborted();
      checkLanguage(language);
      const channels = soundingChannels(input);
      const call = blindCall(url, { language, channels, audio_ms: soundMs(channels, input) });
      const spoken = channels.length > 0 ? await context.ledger.pay(call) : [];
      yield* hearChannels(spoken, input, context);
    },
    close: async () => {},
  };
}

function blindCall(url: string, sound: Omit<CallBody, 'key'>): BlindCall<readonly SpokenChannel[]> {
  return {
    billing: 'blind',
    call: (key, signal) => ask(url, { key, ...sound }, signal).catch(refusedByNobody),
  };
}

async function ask(
  url: string,
  body: object,
  signal: AbortSignal,
): Promise<{ result: readonly SpokenChannel[]; billed_ms: number } | Refused> {
  const answer = await vendorRequest(`${url}/transcribe`, signal, { method: 'POST', body });
  return answer.status === 200
    ? (answer.body as { result: SpokenChannel[]; billed_ms: number })
    : refusedBy(answer);
}
