import { CodedError } from '@earshot/domain';

/** The last item of a page: the next one starts after it. */
interface Position {
  readonly created_at: string;
  readonly id: string;
}

/** Opaque cursors over items with ids of one form; they hold nothing that the page they came with does not show. */
export interface Cursor {
  write(position: { readonly created_at: string; readonly id: string | number }): string;
  /** Throws `invalid_request` for anything that `write` did not make. */
  read(cursor: string): Position;
}

const TIME = '\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z';

function cursorOf(idForm: string): Cursor {
  const form = new RegExp(`^(${TIME}) (${idForm})$`);
  return {
    write: ({ created_at, id }) => Buffer.from(`${created_at} ${id}`).toString('base64url'),
    read: (cursor) => {
      const [, created_at, id] = form.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? [];
      if (created_at && id && !Number.isNaN(Date.parse(created_at))) return { created_at, id };
      throw new CodedError('invalid_request', 'the cursor is not one of ours', {
        errors: ['/cursor take next_cursor of the page before as it is'],
      });
    },
  };
}

export const transcriptCursor = cursorOf('[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}');

/** Fewer digits than a double holds exactly. */
export const deadLetterCursor = cursorOf('[0-9]{1,15}');
