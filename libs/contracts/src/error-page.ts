import { type ErrorClass, errorTable } from '@earshot/domain';

const CLASSES: Readonly<Record<ErrorClass, string>> = {
  permanent: 'Permanent: the work is given up on at once',
  caller: 'The request: answered to the caller, never retried',
  transient: 'Transient: retried with backoff, given up on after the last attempt',
  ours: 'Ours: a bug',
};

/** `docs/errors.md`: every code of the table, by class. */
export function errorPage(): string {
  const sections = Object.entries(CLASSES).map(([name, title]) => {
    const rows = Object.entries(errorTable)
      .filter(([, entry]) => entry.class === name)
      .map(([code, entry]) => `| \`${code}\` | ${entry.status} | ${entry.title} | ${entry.help} |`);
    return [`## ${title}`, '', '| code | HTTP | meaning | what to do |', '|---|---|---|---|', ...rows].join(
      '\n',
    );
  });
  const intro =
    'Generated from `libs/domain/src/error-codes.ts` by `tools/generate-docs.ts`; do not edit.\n\n' +
    'Problem documents (RFC 9457), failed transcripts and dead letters carry these codes; the `type` of a\n' +
    'problem document is `urn:earshot:error:` and the code. A code is never renamed.\n' +
    '503 answers carry `Retry-After`; repeat them with the same `Idempotency-Key`.';
  return ['# Errors', intro, ...sections].join('\n\n').concat('\n');
}
