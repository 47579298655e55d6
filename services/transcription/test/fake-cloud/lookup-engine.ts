import { CodedError } from '@earshot/domain';
import type { LookupCall, OperationState, Refused, SpeechEngine } from '@earshot/engine';
import type { CallBody } from './cloud.ts';
import {
  checkLanguage,
  hearChannels,
  remoteCapabilities,
  soundingChannels,
  soundMs,
} from './hear-channels.ts';
import type { OperationAnswer } from './operations.ts';
import { refusedBy, refusedByNobody } from './refused.ts';
import type { SpokenChannel } from './spoken-text.ts';
import { vendorRequest } from './vendor-request.ts';

/** An engine whose calls start operations that can be found again. */
export function lookupEngine(url: string): SpeechEngine {
  return {
    name: 'lookup',
    model: 'hash',
    capabilities: { ...remoteCapabilities, billing: 'lookup' },
    async *transcribe(input, { language = 'en', lane }, context) {
      context.signal.throwIfAborted();
      checkLanguage(language);
      const channels = soundingChannels(input);
      const slow = lane === 'low';
      const call = lookupCall(url, slow, { language, channels, audio_ms: soundMs(channels, input) });
      const spoken = channels.length > 0 ? await context.ledger.pay(call) : [];
      yield* hearChannels(spoken, input, context);
    },
    close: async () => {},
  };
}

function lookupCall(
  url: string,
  slow: boolean,
  sound: Omit<CallBody, 'key'>,
): LookupCall<readonly SpokenChannel[]> {
  return {
    billing: 'lookup',
    slow,
    call: (key, signal) => place(url, { key, ...sound }, signal).catch(refusedByNobody),
    find: async (outputUri, signal) => {
      const query = new URLSearchParams({ output_uri: outputUri });
      const { body } = await vendorRequest(`${url}/operations?${query}`, signal);
      return (body as { operations: string[] }).operations[0];
    },
    poll: async (operation, signal) => stateOf(await vendorRequest(`${url}/operations/${operation}`, signal)),
    cancel: async (operation, signal) => {
      await vendorRequest(`${url}/operations/${operation}/cancel`, signal, { method: 'POST' });
    },
  };
}

async function place(
  url: string,
  body: object,
  signal: AbortSignal,
): Promise<{ operation: string } | Refused> {
  const answer = await vendorRequest(`${url}/calls`, signal, { method: 'POST', body });
  return answer.status === 200 ? (answer.body as { operation: string }) : refusedBy(answer);
}

function stateOf({
  status,
  body,
}: {
  status: number;
  body: unknown;
}): OperationState<readonly SpokenChannel[]> {
  if (status !== 200) throw new CodedError('engine_error', `the vendor answered ${status}`);
  const answer = body as OperationAnswer;
  if (answer.state !== 'failed') return answer;
  const code = answer.error.code === 'INVALID_AUDIO' ? 'corrupt' : 'engine_error';
  const { billed_ms } = answer;
  return { state: 'failed', error: new CodedError(code, answer.error.message), billed_ms };
}
