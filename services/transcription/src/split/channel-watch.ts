import { distinctChannels, SAMPLE_RATE } from '@earshot/audio';

/** Heard at a time: as long as a chunk of a local engine, of which the same is asked. */
const WINDOW_FRAMES = 60 * SAMPLE_RATE;

/** Listens to a recording while it is decoded, to tell which of its channels are worth transcribing. */
export class ChannelWatch {
  readonly #channels: number;
  readonly #window: Int16Array;
  #held = 0;
  readonly #sources = new Set<number>();
  #apart = false;
  #room = false;

  constructor(channels: number) {
    this.#channels = channels;
    this.#window = new Int16Array(channels === 1 ? 0 : WINDOW_FRAMES * channels);
  }

  /** Takes the next interleaved 16 kHz block. */
  push(block: Int16Array): void {
    if (this.#channels === 1) return;
    for (let at = 0; at < block.length; ) {
      const part = block.subarray(at, at + this.#window.length - this.#held);
      this.#window.set(part, this.#held);
      this.#held += part.length;
      at += part.length;
      if (this.#held === this.#window.length) this.#hear();
    }
  }

  /**
   * After the last block: the channels that hold a sound of their own, in order, at least one. In `auto` it is `room` when
   * channels heard the same room and were never clearly apart: they want to be mixed.
   */
  tracks(mode: 'auto' | 'separate'): readonly number[] | 'room' {
    if (this.#channels === 1) return [0];
    this.#hear();
    if (mode === 'auto' && this.#room && !this.#apart) return 'room';
    return [...this.#sources].sort((a, b) => a - b);
  }

  #hear(): void {
    if (this.#held === 0 && this.#sources.size > 0) return;
    const sound = this.#window.subarray(0, this.#held);
    this.#held = 0;
    const sources = distinctChannels(sound, this.#channels, 'separate');
    const groups = distinctChannels(sound, this.#channels, 'auto');
    for (const { channel } of sources) this.#sources.add(channel);
    if (groups.length < sources.length) this.#room = true;
    if (groups.length > 1) this.#apart = true;
  }
}
