/** This machine, as the key of the tables of pinned downloads. */
export function platformKey(): string {
  return `${process.platform}-${process.arch}`;
}

/** True on Linux systems without glibc (Alpine): only static binaries run there. */
export function isMusl(): boolean {
  if (process.platform !== 'linux') return false;
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return report.header?.glibcVersionRuntime === undefined;
}

/** `name`, with `.exe` on Windows. */
export function executableName(name: string): string {
  return process.platform === 'win32' ? `${name}.exe` : name;
}
