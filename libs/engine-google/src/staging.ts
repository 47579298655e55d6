import { CodedError } from '@earshot/domain';
import type { StoredAudio } from '@earshot/engine';
import type { ObjectStorage } from '@earshot/storage';

/** Several hours with the times of all words. */
const MAX_OUTPUT_BYTES = 256 * 1024 * 1024;

/** The bucket that Google reads sound from and writes text to, where a recording lies elsewhere or its text is long. */
export class Staging {
  readonly #storage: ObjectStorage | undefined;

  /** `storage` must know the addresses of its objects; without one only recordings in buckets can be transcribed. */
  constructor(storage: ObjectStorage | undefined) {
    this.#storage = storage;
  }

  /** Where the text of a call goes: a prefix that no other call has. */
  textOf(outputUri: string): string {
    return this.#address(`${outputUri}/text`);
  }

  /** Where the sound of a call is: that of its try, which no other one has. */
  soundOf(outputUri: string): string {
    return this.#address(soundKey(outputUri.slice(0, outputUri.lastIndexOf('/'))));
  }

  /** Copies the sound of a try into the bucket, as a stream. */
  async bring(root: string, stored: StoredAudio): Promise<void> {
    await this.#bucket().put(soundKey(root), await stored.open());
  }

  async read(address: string): Promise<Buffer> {
    const bytes = await this.#bucket().read(this.#keyOf(address), MAX_OUTPUT_BYTES);
    if (!bytes) throw new CodedError('engine_error', `there is no result at ${address}`);
    return bytes;
  }

  /** Removes what a call left. Never rejects: the bucket's own rule removes the rest. */
  async clear(addresses: readonly string[]): Promise<void> {
    const remove = async (address: string) => this.#bucket().delete(this.#keyOf(address));
    await Promise.all(addresses.map((address) => remove(address).catch(() => {})));
  }

  #address(key: string): string {
    const address = this.#bucket().addressOf?.(key);
    if (address) return address;
    throw new CodedError('engine_error', 'the staging storage is none that Google can read');
  }

  #keyOf(address: string): string {
    const root = this.#address('x').slice(0, -1);
    if (address.startsWith(root)) return address.slice(root.length);
    throw new CodedError('engine_error', `${address} is not in the staging bucket`);
  }

  #bucket(): ObjectStorage {
    if (this.#storage) return this.#storage;
    throw new CodedError('engine_error', 'no staging bucket is set: EARSHOT_GOOGLE_STAGING_URL');
  }
}

const soundKey = (root: string) => `${root}/sound`;
