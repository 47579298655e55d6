import { CodedError } from '@earshot/domain';

/** The last item of a page: the next one starts after it. */
export interface Position {
  readonly created_at: string;
  readonly id: string;
}

const FORM = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** An opaque cursor; it holds nothing that the page it came with does not show. */
export const writeCursor = ({ created_at, id }: Position) =>
  Buffer.from(`${created_at} ${id}`).toString('base64url');

/** Reads a cursor of {@link writeCursor}; throws `invalid_request` for anything else. */
export function readCursor(cursor: string): Position {
  const [, created_at, id] = FORM.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
  if (!created_at || !id || Number.isNaN(Date.parse(created_at))) {
    throw new CodedError('invalid_request', 'the cursor is not one of ours', {
      errors: ['/cursor take next_cursor of the page before as it is'],
    });
  }
  return { created_at, id };
}
