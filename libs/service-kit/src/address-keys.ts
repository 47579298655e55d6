/** What makes a signed URL work. */
const SIGNATURES =
  /([?&](?:X-(?:Goog|Amz)-(?:Signature|Credential|Security-Token)|Signature|sig|token)=)[^&"\s\\]+/gi;

/** The user and password of an address: of NATS, of a database, of a proxy. */
const CREDENTIALS = /(:\/\/)[^/?#@"\s\\]+@/g;

/** The text without what lets one in, wherever in it an address stands. */
export const withoutKeys = (text: string): string =>
  text.replaceAll(SIGNATURES, '$1[redacted]').replaceAll(CREDENTIALS, '$1[redacted]@');
