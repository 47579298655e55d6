import { describe, expect, it } from 'vitest';
import { parseGoogleCredentials } from './credentials.ts';

const account = {
  type: 'service_account',
  project_id: 'p',
  client_email: 'a@p.iam.gserviceaccount.com',
  private_key: '-----BEGIN PRIVATE KEY-----\nhush\n-----END PRIVATE KEY-----\n',
};
const plain = JSON.stringify(account);

describe('the credentials of Google', () => {
  it.each([
    ['plain', plain],
    ['in base64', btoa(plain)],
    ['in base64 with line ends', btoa(plain).replace(/.{40}/g, '$&\n')],
  ])('may come %s', (_, text) => {
    expect(parseGoogleCredentials(text)).toEqual(account);
  });

  it.each([
    ['not json', 'neither JSON nor'],
    ['eyJ0eXBlIjo', 'neither JSON nor'],
    ['{"type": "service_account"', 'neither JSON nor'],
    ['{}', 'its type is none of'],
    ['{"type": "other"}', 'its type is none of'],
    [JSON.stringify({ ...account, client_email: undefined }), 'it has no client_email'],
    [JSON.stringify({ type: 'authorized_user' }), 'it has no client_id, client_secret, refresh_token'],
    [JSON.stringify({ ...account, private_key: account.private_key.replaceAll('\n', '\\n') }), 'no PEM key'],
  ])('that are malformed are refused with what is wrong, never with the secret: %#', (text, reason) => {
    const refuse = () => parseGoogleCredentials(text);
    expect(refuse).toThrow(reason);
    expect(refuse).not.toThrow('hush');
  });
});
