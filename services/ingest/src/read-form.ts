import type { Readable } from 'node:stream';
import { readRecordingOptions } from '@earshot/contracts';
import { CodedError } from '@earshot/domain';
import type { Multipart } from '@fastify/multipart';

type Fields = Record<string, unknown>;
type Parts = AsyncIterator<Multipart>;

/** A form up to its recording. */
export interface RecordingForm {
  readonly file: Readable;
  /** All options; reads what follows the file, so the file must have been consumed. */
  options(): Promise<Fields>;
}

/**
 * Reads a multipart form up to the field `file`. Options before it are checked at once, so that nobody sends gigabytes
 * to learn of a typing error. Throws `invalid_request`.
 */
export async function openForm(parts: AsyncIterable<Multipart>): Promise<RecordingForm> {
  const iterator = parts[Symbol.asyncIterator]();
  const fields: Fields = {};
  const file = await readUntilFile(iterator, fields);
  if (!file) throw invalid('the form has no field named file with a recording');
  readRecordingOptions(typed(fields), 'invalid_request');
  return {
    file,
    options: async () => {
      if (await readUntilFile(iterator, fields)) throw invalid('the form has more than one recording');
      return typed(fields);
    },
  };
}

const invalid = (detail: string, cause?: unknown) => new CodedError('invalid_request', detail, { cause });

async function readUntilFile(parts: Parts, fields: Fields): Promise<Readable | undefined> {
  for (let part = await next(parts); part; part = await next(parts)) {
    if (part.type === 'file') {
      if (part.fieldname === 'file') return part.file;
      throw invalid(`the recording goes into the field file, not ${part.fieldname.slice(0, 64)}`);
    }
    if (part.valueTruncated) throw invalid(`the field ${part.fieldname.slice(0, 64)} is too long`);
    add(fields, part.fieldname, part.value);
  }
  return undefined;
}

async function next(parts: Parts): Promise<Multipart | undefined> {
  try {
    const step = await parts.next();
    return step.done ? undefined : step.value;
  } catch (error) {
    throw invalid('the multipart form is malformed or broke off', error);
  }
}

function add(fields: Fields, name: string, value: unknown): void {
  // An empty field of a web form means that nothing was chosen.
  if (value === '') return;
  if (name === 'uri') throw invalid('give either a file or a uri');
  const before = fields[name];
  fields[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
}

/** Form fields are text; what should be something else is read as JSON where it can be. */
function typed(fields: Fields): Fields {
  const options = { ...fields };
  for (const name of ['metadata', 'diarization', 'expires_in_seconds']) {
    if (typeof options[name] === 'string') options[name] = parsed(options[name]);
  }
  const { vocabulary } = options;
  if (typeof vocabulary === 'string') {
    const list = parsed(vocabulary);
    options.vocabulary = Array.isArray(list) ? list : [vocabulary];
  }
  return options;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
