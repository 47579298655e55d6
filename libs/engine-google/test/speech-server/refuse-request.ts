/** What a request must look like to be taken; the rest of it is the recording's affair. */
interface Request {
  readonly recognizer?: string;
  readonly files?: readonly { readonly uri?: string }[];
  readonly recognitionOutputConfig?: {
    readonly gcsOutputConfig?: { readonly uri?: string };
    readonly inlineResponseConfig?: object;
  };
}

/** Google's own limit of one batch. */
const MOST_FILES = 15;

/** Why the vendor would not take a request, with nothing paid; undefined when it would. */
export function invalidRequest(request: Request): string | undefined {
  const { recognizer = '', files = [], recognitionOutputConfig: output } = request;
  if (!/^projects\/[^/]+\/locations\/[^/]+\/recognizers\/[^/]+$/.test(recognizer))
    return 'no such recognizer';
  if (files.length === 0 || files.length > MOST_FILES) return `a batch has 1 to ${MOST_FILES} files`;
  if (!files.every(({ uri }) => isAddress(uri))) return 'a file has no gs:// address';
  if (output?.gcsOutputConfig)
    return isAddress(output.gcsOutputConfig.uri) ? undefined : 'the output has no gs:// address';
  if (!output?.inlineResponseConfig) return 'no output is asked for';
  return files.length > 1 ? 'only one file can be answered inline' : undefined;
}

const isAddress = (uri = '') => /^gs:\/\/[^/]+\/.+$/.test(uri);
