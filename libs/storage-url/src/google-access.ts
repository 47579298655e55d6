import { parseGoogleCredentials, type StorageConfig } from '@earshot/contracts';
import type { GcsAccess } from '@earshot/storage-gcs';

/** As whom the settings have Google asked; throws when the credentials are malformed. */
export function googleAccess(config: StorageConfig): GcsAccess {
  const { GOOGLE_APPLICATION_CREDENTIALS_JSON: json } = config;
  return {
    projectId: config.GOOGLE_PROJECT_ID,
    apiEndpoint: config.EARSHOT_GOOGLE_STORAGE_ENDPOINT,
    ...(json ? { credentials: parseGoogleCredentials(json) } : {}),
  };
}
