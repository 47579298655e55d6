/** What happened to paid calls in this process. */
export interface PaidCallCounts {
  /** Calls made, refused ones included. */
  calls: number;
  /** Calls of `lookup` engines whose answer was lost, and that were searched for at the vendor. */
  looked_up: number;
  /** Those that were not found in all the time they may take: the next try was made. */
  never_arrived: number;
  /** Of these, calls that turned up before the next one was made: their result was used. */
  found_late: number;
  /** Blind calls that nobody knows to be made: repeated once, then left to a person. */
  unclear: number;
  /** Calls that turned out to be a second one for the same chunk and try. */
  double: number;
  /** Operations that were canceled: those of such calls, and those of transcripts that were canceled. */
  canceled: number;
}

export const noPaidCalls = (): PaidCallCounts => ({
  calls: 0,
  looked_up: 0,
  never_arrived: 0,
  found_late: 0,
  unclear: 0,
  double: 0,
  canceled: 0,
});
