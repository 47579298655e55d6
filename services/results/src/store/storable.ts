/** PostgreSQL's text and jsonb hold no NUL, and UTF-8 no lone surrogates: both become U+FFFD. */
export const storableText = (text: string) => Buffer.from(text).toString().replaceAll('\0', '\uFFFD');

/** JSON that jsonb takes in any case; for evidence and other text whose exact bytes nobody needs. */
export const storableJson = (value: unknown) =>
  JSON.stringify(value, (_key, part: unknown) => (typeof part === 'string' ? storableText(part) : part));
