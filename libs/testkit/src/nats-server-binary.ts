import { embeddedOptionsFromEnv, resolveNatsServer } from '@earshot/embedded';

let path: Promise<string> | undefined;

/** Path of the nats-server that tests run, found the way the product finds it; looked for once per process. */
export function natsServerBinary(): Promise<string> {
  path ??= resolveNatsServer(embeddedOptionsFromEnv(process.env)).then((found) => found.path);
  return path;
}
