import { objectsOf, openAddressedFolder } from './addressed-folder.ts';
import type { Hear } from './hear-wav.ts';
import { SpeechServer } from './speech-server.ts';

/** A server whose bucket `gs://folder` is a folder of this machine. */
export async function startLocalSpeech(root: string, hear?: Hear): Promise<SpeechServer> {
  const folder = await openAddressedFolder(root);
  return SpeechServer.start({ objects: objectsOf(folder, root), hear });
}
