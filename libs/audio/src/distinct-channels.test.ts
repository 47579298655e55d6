import { describe, expect, it } from 'vitest';
import { decodeAll, peak, useMedia } from '../test/media.ts';
import { samples } from '../test/parts.ts';
import { distinctChannels } from './distinct-channels.ts';

const media = useMedia();
const [a, b] = ['-i', '-i'].map((flag, n) => [flag, n === 0 ? samples.two_cities : samples.endgame]) as [
  string[],
  string[],
];
const join = '[l][r]join=inputs=2:channel_layout=stereo';

async function kept(name: string, ...args: string[]) {
  const { channels } = await decodeAll(await media.make(name, ...args, '-t', '28'));
  const count = channels.length;
  const pcm = Int16Array.from({ length: (channels[0]?.length ?? 0) * count }, (_, n) => {
    return channels[n % count]?.[Math.floor(n / count)] ?? 0;
  });
  const numbers = (mode: 'auto' | 'separate') => distinctChannels(pcm, channels.length, mode);
  return { auto: numbers('auto'), separate: numbers('separate') };
}
const list = (found: { channel: number }[]) => found.map(({ channel }) => channel);

describe('distinctChannels transcribes the same sound once', () => {
  it.each([
    ['identical.wav', '[0]asplit[l][r]', []],
    ['joint.mp3', '[0]asplit[l][r]', ['-b:a', '64k']],
    ['apart.mp3', '[0]asplit[l][r]', ['-b:a', '96k', '-joint_stereo', '0']],
    ['quieter.m4a', '[0]asplit[l][x];[x]volume=0.5[r]', ['-b:a', '192k']],
    ['inverted.m4a', '[0]asplit[l][x];[x]volume=-1[r]', ['-b:a', '192k']],
    ['one-sided.opus', '[0]asplit[l][x];[x]volume=0[r]', ['-mapping_family', '0']],
  ])('%s', async (name, graph, args) => {
    const { auto, separate } = await kept(name, ...a, '-filter_complex', `${graph};${join}`, ...args);
    expect(list(auto)).toEqual([0]);
    expect(list(separate)).toEqual([0]);
  });
});

describe('distinctChannels in auto', () => {
  it('keeps two speakers apart, one on each channel, who talk at the same time', async () => {
    const graph = `[0]aresample=16000[l];[1]aresample=16000,apad[r];${join}`;
    const { auto } = await kept('two.mp3', ...a, ...b, '-filter_complex', graph);
    expect(list(auto)).toEqual([0, 1]);
  });

  it('mixes a room that two microphones heard', async () => {
    const left = '[0]asplit[x][y];[x]aecho=0.8:0.8:23|41|67:0.4|0.3|0.2[l]';
    const right = '[y]volume=0.8,aecho=0.8:0.8:29|37|83:0.4|0.3|0.25,adelay=0.6[r]';
    const { auto, separate } = await kept('room.wav', ...a, '-filter_complex', `${left};${right};${join}`);
    expect(list(auto)).toEqual([0]);
    expect(list(separate)).toEqual([0, 1]);
    expect(peak(auto[0]?.samples)).toBeGreaterThan(1000);
  });

  it('does not let a room cancel itself out when a microphone is wired the wrong way round', async () => {
    const graph = `[0]asplit[l][x];[x]volume=-0.9,aecho=0.9:0.9:40:0.2[r];${join}`;
    const { auto } = await kept('wrong-way.wav', ...a, '-filter_complex', graph);
    expect(list(auto)).toEqual([0]);
    expect(peak(auto[0]?.samples)).toBeGreaterThan(3000);
  });

  it('takes the voice of a film once, and drops channels without sound', async () => {
    const sides =
      'aevalsrc=0.02*sin(2*PI*330*t)|0.02*sin(2*PI*440*t)|0|0|0.01*sin(2*PI*330*t)|0.01*sin(2*PI*440*t):c=5.1:d=28:s=16000';
    const graph = `${sides}[m];[0]aresample=16000,pan=5.1|FC=c0[v];[m][v]amix=normalize=0`;
    const { auto, separate } = await kept('film.wav', ...a, '-filter_complex', graph);
    expect(list(auto)).toContain(2);
    expect(list(auto)).not.toContain(3);
    expect(list(separate)).toEqual([0, 1, 2]);
  });
});

describe('distinctChannels never loses speech', () => {
  it('of a second speaker who says one word', async () => {
    const word = `[1]atrim=0:1.2,aresample=16000,adelay=20000,apad[w]`;
    const graph = `[0]aresample=16000,asplit[l][x];${word};[x][w]amix=normalize=0[r];${join}`;
    const { separate } = await kept('word.wav', ...a, '-i', samples.beckett, '-filter_complex', graph);
    expect(list(separate)).toEqual([0, 1]);
  });

  it('when all channels are silent: one is left to look at', () => {
    expect(list(distinctChannels(new Int16Array(64_000), 4, 'auto'))).toEqual([0]);
    expect(list(distinctChannels(new Int16Array(0), 2, 'separate'))).toEqual([0]);
  });
});
