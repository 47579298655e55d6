/** Credentials of Google as its client libraries take them. */
export interface GoogleCredentials extends Readonly<Record<string, unknown>> {
  readonly type: string;
}

/** What each kind must have for a token to be asked for. */
const NEEDED: Readonly<Record<string, readonly string[]>> = {
  service_account: ['client_email', 'private_key'],
  authorized_user: ['client_id', 'client_secret', 'refresh_token'],
  external_account: ['audience', 'subject_token_type', 'token_url'],
  impersonated_service_account: ['service_account_impersonation_url', 'source_credentials'],
};

/**
 * Reads GOOGLE_APPLICATION_CREDENTIALS_JSON, plain or in base64. Throws an Error that says what is wrong, without a word of the
 * text itself: it is a secret.
 */
export function parseGoogleCredentials(text: string): GoogleCredentials {
  const json = text.trimStart().startsWith('{') ? text : fromBase64(text);
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    throw new Error('it is neither JSON nor JSON in base64');
  }
  const credentials = document as GoogleCredentials;
  const needed = NEEDED[String(credentials?.type)];
  if (!needed) throw new Error(`its type is none of ${Object.keys(NEEDED).join(', ')}`);
  const missing = needed.filter((name) => !credentials[name]);
  if (missing.length > 0) throw new Error(`it has no ${missing.join(', ')}`);
  const key = credentials.private_key;
  if (key !== undefined && !/^-----BEGIN [A-Z ]*PRIVATE KEY-----\n/.test(String(key))) {
    throw new Error('its private_key is no PEM key; were its line ends lost?');
  }
  return credentials;
}

function fromBase64(text: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(
      Uint8Array.from(atob(text.replace(/\s/g, '')), (char) => char.charCodeAt(0)),
    );
  } catch {
    return '';
  }
}
