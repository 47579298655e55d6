/** Calls what it is given, unless it called something less than `ms` ago. */
export function atMostEvery(ms: number): (say: () => void) => void {
  let silentUntil = 0;
  return (say) => {
    if (performance.now() < silentUntil) return;
    silentUntil = performance.now() + ms;
    say();
  };
}
