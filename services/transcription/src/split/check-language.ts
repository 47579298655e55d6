import { CodedError } from '@earshot/domain';
import type { EngineCapabilities } from '@earshot/engine';

/** Throws `unsupported_language` for a language the engine is known not to understand: before any work, not per chunk. */
export function checkLanguage(language: string | undefined, engine: EngineCapabilities | undefined): void {
  const known = engine?.languages ?? 'any';
  const primary = language?.split('-')[0]?.toLowerCase() ?? 'auto';
  if (known === 'any' || primary === 'auto' || known.includes(primary)) return;
  throw new CodedError('unsupported_language', `the engine knows ${known.join(', ')}, not ${language}`);
}
