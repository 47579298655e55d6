import { CodedError } from '@earshot/domain';
import type { EngineDirectory } from '@earshot/jobs';

/**
 * An engine of our own settings whose consumers are not there has lost them, and gets them back: that is an outage, which
 * no caller can help. Any other engine is as the broker says.
 */
export function configuredEngines(broker: EngineDirectory, configured: readonly string[]): EngineDirectory {
  return {
    hasEngine: async (engine) => {
      if (await broker.hasEngine(engine)) return true;
      if (!configured.includes(engine)) return false;
      throw new CodedError('unavailable', `the consumers of ${engine} are not there now`);
    },
  };
}
