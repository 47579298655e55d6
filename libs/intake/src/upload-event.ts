import {
  type Manifest,
  type OutgoingMessage,
  RECORDING_UPLOADED,
  type RecordingUploaded,
  uploadSubject,
} from '@earshot/contracts';

/** The upload event of a manifest; the same manifest gives the same event, so repeating it is harmless. */
export function uploadEvent(
  manifest: Manifest,
  traceparent: string | undefined,
): OutgoingMessage<RecordingUploaded> {
  return {
    subject: uploadSubject(manifest.tenant_id),
    event: {
      specversion: '1.0',
      id: manifest.event_id,
      source: manifest.source,
      type: RECORDING_UPLOADED,
      time: manifest.created_at,
      subject: manifest.transcript_id,
      datacontenttype: 'application/json',
      data: { uri: manifest.uri, ...manifest.options },
    },
    traceparent,
  };
}
