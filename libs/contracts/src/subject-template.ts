import { messageKinds } from './message-kinds.ts';
import { dueSubject, laterSubject, uploadSubject } from './subjects.ts';

const templates = [uploadSubject('{tenant}'), ...messageKinds.map(({ address }) => address)].map(
  (address) => ({
    address,
    pattern: new RegExp(`^${address.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^.]+')}$`),
  }),
);

/** A subject with its variable words as names in braces, e.g. `uploads.{tenant}`; undefined for one that is not declared here. */
export function subjectTemplate(subject: string): string | undefined {
  const due = dueSubject(subject);
  const address = templates.find(({ pattern }) => pattern.test(due))?.address;
  return address !== undefined && due !== subject ? laterSubject(address) : address;
}
