import { CodedError } from '@earshot/domain';
import type { SpeechEngine } from '@earshot/engine';
import { checkLanguage, hearChannels, remoteCapabilities, soundingChannels } from './hear-channels.ts';
import { hashOf, type SpokenChannel } from './spoken-text.ts';
import { vendorRequest } from './vendor-request.ts';

/** An engine on somebody's own server: a call costs nothing, so it may be made again. */
export function freeEngine(url: string): SpeechEngine {
  return {
    name: 'free',
    model: 'hash',
    capabilities: { ...remoteCapabilities, billing: 'free' },
    async *transcribe(input, { language = 'en' }, context) {
      context.signal.throwIfAborted();
      checkLanguage(language);
      const channels = soundingChannels(input);
      context.heartbeat();
      const key = hashOf(channels.map(({ audio }) => audio).join());
      const spoken = channels.length > 0 ? await ask(url, context.signal, { key, language, channels }) : [];
      yield* hearChannels(spoken, input, context);
    },
    close: async () => {},
  };
}

async function ask(url: string, signal: AbortSignal, body: object): Promise<SpokenChannel[]> {
  const answer = await vendorRequest(`${url}/free`, signal, { method: 'POST', body });
  if (answer.status === 200) return (answer.body as { result: SpokenChannel[] }).result;
  if (answer.status === 422) throw new CodedError('corrupt', 'the vendor cannot read the audio');
  throw new CodedError('engine_error', `the vendor answered ${answer.status}`);
}
