export {
  Client,
  type CreateOptions,
  type TextFormat,
  type Upload,
  type WaitOptions,
} from './client.ts';
export { ClientError, TranscriptError } from './client-error.ts';
export type { HttpOptions } from './http.ts';
export type { ListFilter } from './pages.ts';
export type { CheckFilter, UsageFilter } from './usage.ts';
