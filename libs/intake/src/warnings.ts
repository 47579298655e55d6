import { RECORDING_OPTION_NAMES, type Warning } from '@earshot/contracts';

/** Options that are taken and kept but not acted upon yet. Whoever builds one deletes its row. */
const NOT_SUPPORTED_YET: Readonly<Record<string, string>> = {
  diarization: 'speakers are not told apart yet',
  vocabulary: 'the engines take no vocabulary yet',
  webhook_url: 'no webhook will be sent; poll the transcript',
  fallback_engine: 'no other engine takes over yet',
  expires_in_seconds: 'the transcript is kept until it is deleted',
};

const MAX_UNKNOWN = 20;

/** What the caller asked for and will not get, one warning each. */
export function warningsFor(given: Record<string, unknown>): Warning[] {
  const known = new Set<string>(['uri', ...RECORDING_OPTION_NAMES]);
  const unknown = Object.keys(given).filter((name) => !known.has(name));
  return [
    ...Object.entries(NOT_SUPPORTED_YET)
      .filter(([name]) => isAsked(given[name]))
      .map(([name, what]) => ({ code: 'not_supported_yet', detail: `${name}: ${what}` })),
    ...unknown.slice(0, MAX_UNKNOWN).map((name) => ({
      code: 'unknown_option',
      detail: `${name.slice(0, 64)} is not an option; it was ignored`,
    })),
  ];
}

const isAsked = (value: unknown) =>
  value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
