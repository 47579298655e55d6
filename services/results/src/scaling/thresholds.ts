import type { ScalingConfig } from '@earshot/contracts';
import type { ScalingThresholds } from './decide-scaling.ts';

/** The thresholds of the settings. */
export const thresholdsOf = (config: ScalingConfig): ScalingThresholds => ({
  upQueue: config.EARSHOT_SCALE_UP_QUEUE,
  downQueue: config.EARSHOT_SCALE_DOWN_QUEUE,
  waitSeconds: config.EARSHOT_SCALE_WAIT_SECONDS,
  cpuPercent: config.EARSHOT_SCALE_CPU_PERCENT,
  memoryPercent: config.EARSHOT_SCALE_MEMORY_PERCENT,
  failurePercent: config.EARSHOT_SCALE_FAILURE_PERCENT,
  clearMinutes: config.EARSHOT_SCALE_CLEAR_MINUTES,
});
