import { getFile } from '../src/fetch/http-get.ts';

/** Downloads the address it is given to the file it is given and says the hash or the error. */
const [url = '', path = ''] = process.argv.slice(2);
const answer = await getFile(url, path, process.env, () => undefined).then(
  (hash) => ({ hash }),
  (error: Error) => ({ error: error.message }),
);
process.stdout.write(`${JSON.stringify(answer)}\n`);
