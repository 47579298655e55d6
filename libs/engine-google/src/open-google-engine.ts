import { CodedError } from '@earshot/domain';
import type { SpeechEngine } from '@earshot/engine';
import { type GoogleAccess, SpeechConnection } from './connection.ts';
import { createGoogleEngine, type GoogleEngineOptions } from './google-engine.ts';

/** The same with credentials that are looked at first. */
export interface OpenGoogleOptions extends Omit<GoogleEngineOptions, 'access'> {
  /** Without a project that of the credentials is meant. */
  readonly access: Omit<GoogleAccess, 'projectId'> & { readonly projectId?: string | undefined };
}

/** An engine that has a project and credentials; throws `unavailable` with what to set. Nothing is asked of Google yet. */
export async function openGoogleEngine(options: OpenGoogleOptions): Promise<SpeechEngine> {
  const { access } = options;
  const projectId = access.projectId ?? (access.endpoint ? 'local' : undefined);
  const connection = new SpeechConnection(
    { ...access, projectId: projectId ?? '' },
    options.location ?? 'us',
  );
  try {
    const found = access.endpoint ? projectId : await lookFor(connection, projectId);
    return createGoogleEngine({ ...options, access: { ...access, projectId: found ?? '' } });
  } finally {
    await connection.cut();
  }
}

async function lookFor(connection: SpeechConnection, known: string | undefined): Promise<string> {
  const { auth } = connection.client();
  await auth.getClient().catch((cause) => {
    const how =
      'set GOOGLE_APPLICATION_CREDENTIALS_JSON, or GOOGLE_APPLICATION_CREDENTIALS, or give the machine an identity';
    throw new CodedError('unavailable', `there are no credentials of Google Cloud: ${how}`, { cause });
  });
  return (
    known ??
    (await auth.getProjectId().catch((cause) => {
      const detail = 'the credentials name no project of Google Cloud: set GOOGLE_PROJECT_ID';
      throw new CodedError('unavailable', detail, { cause });
    }))
  );
}
