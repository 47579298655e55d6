import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

/** A new name for this process, unlike any that ever ran: host, process id, chance. Fits `WorkerIdSchema`. */
export function newWorkerId(host = hostname()): string {
  const plain = host.replace(/[^a-zA-Z0-9]+/g, '-').replace(/^-/, '');
  return `${plain.slice(0, 45) || 'host'}-${process.pid}-${randomBytes(3).toString('hex')}`;
}
