import type { Spoken } from './segment.ts';
import type { Cue } from './subtitle-cues.ts';
import { hasSeveralVoices, toUtterances, voiceName } from './utterances.ts';

const pad = (value: number, digits: number) => String(value).padStart(digits, '0');

function clock(ms: number, decimalMark: ',' | '.'): string {
  const seconds = Math.floor(ms / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return `${parts.map((part) => pad(part, 2)).join(':')}${decimalMark}${pad(ms % 1000, 3)}`;
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escapeVtt = (text: string) => text.replace(/[&<>]/g, (sign) => ESCAPES[sign] as string);

/** SubRip has no escapes: only the arrow of its time line is replaced. */
const escapeSrt = (text: string) => text.replaceAll('-->', '→');

/** A SubRip document (`.srt`). */
export function toSrt(cues: readonly Cue[]): string {
  return cues
    .map((cue, index) => {
      const times = `${clock(cue.start_ms, ',')} --> ${clock(cue.end_ms, ',')}`;
      return `${index + 1}\n${times}\n${escapeSrt(cue.lines.join('\n'))}\n\n`;
    })
    .join('');
}

/** A WebVTT document (`.vtt`), with voice tags when several voices are heard. */
export function toVtt(cues: readonly Cue[]): string {
  const blocks = cues.map((cue) => {
    const times = `${clock(cue.start_ms, '.')} --> ${clock(cue.end_ms, '.')}`;
    const voice = cue.voice === null ? '' : `<v ${escapeVtt(cue.voice.replace(/\s+/g, ' '))}>`;
    return `${times}\n${voice}${escapeVtt(cue.lines.join('\n'))}\n\n`;
  });
  return `WEBVTT\n\n${blocks.join('')}`;
}

/** Plain text (`.txt`): one line, or a line for each utterance with its speaker when several voices are heard. Segments in order. */
export function toText(segments: readonly Spoken[]): string {
  const named = hasSeveralVoices(segments);
  const lines = toUtterances(segments).map((utterance) =>
    named ? `${voiceName(utterance)}: ${utterance.text}` : utterance.text,
  );
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
