import { CodedError } from '@earshot/domain';

interface Position {
  readonly tenant_id: string;
  readonly key: string;
}

const FORM = /^([a-z0-9-]{1,32}) ([^\0]+)$/;

/** Opaque cursors over sums; they hold nothing that the page they came with does not show. */
export const usageCursor = {
  write: ({ tenant_id, key }: Position): string => Buffer.from(`${tenant_id} ${key}`).toString('base64url'),

  /** Throws `invalid_request` for what is not of that form. */
  read: (cursor: string): Position => {
    const [, tenant_id, key] = FORM.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
    if (tenant_id && key) return { tenant_id, key };
    throw new CodedError('invalid_request', 'the cursor is not one of ours', {
      errors: ['/cursor take next_cursor of the page before as it is'],
    });
  },
};
