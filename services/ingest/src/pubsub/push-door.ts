import { CodedError } from '@earshot/domain';
import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose';

/** Who may push, and at what address. */
export interface PushDoor {
  /** What the token must be made for: what the push subscription says as its audience. */
  readonly audience: string;
  /** E-mail address of the service account that the subscription pushes as. */
  readonly serviceAccount: string;
  /** Where the keys are that tokens are signed with. Default: Google's. */
  readonly keys?: URL | undefined;
}

const GOOGLE_KEYS = new URL('https://www.googleapis.com/oauth2/v3/certs');
const ISSUERS = ['https://accounts.google.com', 'accounts.google.com'];
const ABOUT_TOKENS = new Set<string>([
  errors.JWSInvalid.code,
  errors.JWTInvalid.code,
  errors.JWTExpired.code,
  errors.JWTClaimValidationFailed.code,
  errors.JWSSignatureVerificationFailed.code,
  errors.JOSEAlgNotAllowed.code,
  errors.JOSENotSupported.code,
  errors.JWKSNoMatchingKey.code,
  errors.JWKSMultipleMatchingKeys.code,
]);

/**
 * Checks the `Authorization` header of a push: a token that Google signed for this audience and service account, and that has
 * not expired. Throws `unauthorized`, or `unavailable` while Google's keys cannot be had. Keys are kept for ten minutes.
 */
export function pushDoor(door: PushDoor): (authorization: string | undefined) => Promise<void> {
  const keys = createRemoteJWKSet(door.keys ?? GOOGLE_KEYS, { timeoutDuration: 5_000 });
  const rules = {
    algorithms: ['RS256'],
    issuer: ISSUERS,
    audience: door.audience,
    requiredClaims: ['exp', 'iat'],
    clockTolerance: 30,
  };
  return async (authorization) => {
    const token = /^Bearer (\S+)$/i.exec(authorization ?? '')?.[1];
    if (!token) throw refused('no token was sent');
    const { payload } = await jwtVerify(token, keys, rules).catch((error: unknown) => {
      throw asCoded(error);
    });
    if (!isFrom(payload, door.serviceAccount)) throw refused('the token is of another account');
  };
}

/** An address that Google has not verified may be anybody's. */
const isFrom = ({ email, email_verified }: JWTPayload, account: string) =>
  email === account && email_verified === true;

const refused = (why: string) => new CodedError('unauthorized', `not a push of Pub/Sub: ${why}`);

function asCoded(error: unknown): CodedError {
  const { code, message } = error as { code?: string; message: string };
  if (code !== undefined && ABOUT_TOKENS.has(code)) return refused(message);
  return new CodedError('unavailable', 'the keys of Google’s tokens cannot be had now', { cause: error });
}
