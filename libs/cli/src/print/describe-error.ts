import { ClientError } from '@earshot/client';
import { toProblem } from '@earshot/contracts';
import { plainText } from './plain-text.ts';

/** What to do at a terminal, where the API's own help speaks to programs. */
const HELP: Readonly<Record<string, string>> = {
  unreachable: 'Is Earshot running there? Set EARSHOT_URL, or give --url.',
  unauthorized: 'Set EARSHOT_API_KEY, or EARSHOT_API_KEY_FILE to a file that holds the key.',
  forbidden: 'Use a key with that scope.',
  unavailable: 'Repeat the command when it is back.',
};

/** An error as people read it: `code: detail`, each field that is wrong, and what to do. */
export function describeError(error: unknown): string {
  const { code, detail, errors = [], help } = partsOf(error);
  // The configuration's problems come as lines of their own.
  const first = code === undefined ? detail : plainText(`${code}: ${detail}`);
  const more = [...errors, (code && HELP[code]) ?? help];
  return [first, ...more.filter((line) => line).map((line) => `  ${plainText(String(line))}`)]
    .map((line) => `${line}\n`)
    .join('');
}

function partsOf(error: unknown): {
  code?: string;
  detail: string;
  errors?: readonly string[];
  help?: string | undefined;
} {
  if (error instanceof ClientError) {
    const { code, message, errors, help } = error;
    return { code, detail: message, errors, help: errors.length > 0 ? undefined : help };
  }
  const problem = toProblem(error);
  // Not one of ours: its own words say more than ours.
  if (problem.code === 'internal') return { detail: error instanceof Error ? error.message : String(error) };
  return problem;
}
