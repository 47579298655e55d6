const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long ago (or ahead) a time is, in the largest unit that fits: `12 s`, `3 min`, `5 h`, `2 d`. */
export function age(iso: string, now = Date.now()): string {
  const ms = Math.abs(now - Date.parse(iso));
  if (ms < MINUTE) return `${Math.floor(ms / 1000)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min`;
  if (ms < 2 * DAY) return `${Math.floor(ms / HOUR)} h`;
  return `${Math.floor(ms / DAY)} d`;
}
