import { plainText } from './plain-text.ts';

/** A document as people read it: a field on each line, what is inside others indented, texts with their lines. */
export function documentText(document: object, indent = ''): string {
  return Object.entries(document)
    .map(([name, value]) => `${indent}${plainText(name)}:${valueText(value, indent)}`)
    .join('');
}

function valueText(value: unknown, indent: string): string {
  if (value !== null && typeof value === 'object') return `\n${documentText(value, `${indent}  `)}`;
  return ` ${String(value).split('\n').map(plainText).join(`\n${indent}  `)}\n`;
}
