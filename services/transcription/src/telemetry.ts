import { startTelemetry } from '@earshot/service-kit/telemetry';

startTelemetry('transcription');
