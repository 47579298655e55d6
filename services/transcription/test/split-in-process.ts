import { splitRecording } from '../src/split-recording.ts';
import { openBench, splitOf } from './bench.ts';

/** Splits the recording named on the command line and prints what it took: a process of its own, so its memory is known. */
const bench = await openBench();
await bench.store(process.argv[2] ?? '');
const started = performance.now();
let first_job_ms = 0;
bench.broker.onPublish = () => {
  first_job_ms ||= performance.now() - started;
};
const before_mb = process.memoryUsage.rss() / 1e6;
const { count, duration_ms } = splitOf(await splitRecording(bench.deps)(bench.splitJob()));
const split_ms = performance.now() - started;
const peak_mb = process.resourceUsage().maxRSS / 1e3;
process.send?.({ count, duration_ms, first_job_ms, split_ms, before_mb, peak_mb });
console.log({ count, duration_ms, first_job_ms, split_ms, before_mb, peak_mb });
await bench.dispose();
