import { v2 } from '@google-cloud/speech';
import { grpc } from 'google-gax';

/** How to reach Google, and as whom. */
export interface GoogleAccess {
  readonly projectId: string;
  /** A service account's or other credentials; default: what the environment offers (workload identity, a file). */
  readonly credentials?: object | undefined;
  /** Another address than Google's, e.g. `127.0.0.1:9000`, without encryption: for tests. */
  readonly endpoint?: string | undefined;
}

/** Otherwise all clients of a process share their connections, and the next one gets the one that was cut. */
const ownConnection = { 'grpc.use_local_subchannel_pool': 1 };

/** One connection to Speech-to-Text, which can be cut: the next use makes another one. */
export class SpeechConnection {
  readonly #access: GoogleAccess;
  readonly #location: string;
  #client: v2.SpeechClient | undefined;

  constructor(access: GoogleAccess, location: string) {
    this.#access = access;
    this.#location = location;
  }

  client(): v2.SpeechClient {
    this.#client ??= this.#connect();
    return this.#client;
  }

  /** Leaves the connection, which ends with the last call on it. */
  async cut(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close().catch(() => {});
  }

  #connect(): v2.SpeechClient {
    const { projectId, credentials, endpoint } = this.#access;
    if (endpoint) {
      const [apiEndpoint = '', port = '443'] = endpoint.split(':');
      return new v2.SpeechClient({
        ...ownConnection,
        apiEndpoint,
        port: Number(port),
        sslCreds: grpc.credentials.createInsecure(),
        projectId,
        // Never shown to anybody; without any the client would ask the machine for its identity.
        credentials: { client_email: 'nobody@localhost', private_key: 'none' },
      });
    }
    const apiEndpoint = this.#location === 'global' ? undefined : `${this.#location}-speech.googleapis.com`;
    return new v2.SpeechClient({
      ...ownConnection,
      projectId,
      ...(credentials ? { credentials } : {}),
      ...(apiEndpoint ? { apiEndpoint } : {}),
    });
  }
}
