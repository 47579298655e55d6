import { readFileSync } from 'node:fs';
import type { ConfigCheck } from '@earshot/service-kit';
import type pg from 'pg';
import { parseIntoClientConfig } from 'pg-connection-string';

/** Where PostgreSQL is: an address, or the path of a file with it, which is read again at each connect. */
export type DatabaseAddress = string | { readonly file: string };

/** The address of the settings; the file wins, because what was read from it at the start may be rotated since. */
export const addressOf = (config: {
  readonly DATABASE_URL: string;
  readonly DATABASE_URL_FILE?: string | undefined;
}): DatabaseAddress => (config.DATABASE_URL_FILE ? { file: config.DATABASE_URL_FILE } : config.DATABASE_URL);

const read = (address: DatabaseAddress) =>
  typeof address === 'string' ? address : readFileSync(address.file, 'utf8').trim();

/** Adds what makes pg understand `sslmode` as PostgreSQL's own programs do; by itself it takes `require` for `verify-full`. */
function parse(address: string): pg.ClientConfig {
  const known = address.includes('uselibpqcompat=');
  return parseIntoClientConfig(
    known ? address : `${address}${address.includes('?') ? '&' : '?'}uselibpqcompat=true`,
  );
}

/**
 * How to connect, read anew by each call: the address and the certificates that it names. While one of these files is
 * missing or half written, the last readable content counts. Throws when there is none yet.
 */
export function addressReader(address: DatabaseAddress): () => pg.ClientConfig {
  let last = parse(read(address));
  return () => {
    try {
      last = parse(read(address));
    } catch {
      // A rotation is in progress.
    }
    return last;
  };
}

const MODES = ['disable', 'require', 'verify-ca', 'verify-full'];
const FILES = ['sslrootcert', 'sslcert', 'sslkey'];

function fileProblem(name: string, path: string): string[] {
  try {
    readFileSync(path);
    return [];
  } catch (error) {
    return [`DATABASE_URL: the file of ${name} cannot be read: ${(error as NodeJS.ErrnoException).code}`];
  }
}

/** What is wrong with the TLS words of `DATABASE_URL`; never the address itself, which holds a password. */
export const addressProblems: ConfigCheck = ({ DATABASE_URL: address }) => {
  if (typeof address !== 'string') return [];
  const words = new URLSearchParams(address.split('?')[1]);
  const mode = words.get('sslmode');
  const problems = FILES.flatMap((name) => (words.get(name) ? fileProblem(name, words.get(name) ?? '') : []));
  if (mode !== null && !MODES.includes(mode))
    problems.push(`DATABASE_URL: sslmode is one of ${MODES.join(', ')}`);
  if (mode === 'verify-ca' && !words.get('sslrootcert'))
    problems.push('DATABASE_URL: sslmode=verify-ca needs sslrootcert, the path of the CA certificate');
  if (Boolean(words.get('sslcert')) !== Boolean(words.get('sslkey')))
    problems.push('DATABASE_URL: sslcert and sslkey belong together');
  return problems;
};
