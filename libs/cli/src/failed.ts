/** Ends a command with exit code 1 and a sentence, where nothing broke but the answer is no. */
export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}
