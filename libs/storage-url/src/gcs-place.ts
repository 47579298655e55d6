/** The bucket and folder of a `gs:` URL; undefined for other URLs. `prefix` is empty where the whole bucket is meant. */
export function gcsPlace(url: string): { readonly bucket: string; readonly prefix: string } | undefined {
  const [, bucket, prefix = ''] = /^gs:\/\/([^/]+)\/?(.*?)\/?$/.exec(url) ?? [];
  return bucket ? { bucket, prefix } : undefined;
}
