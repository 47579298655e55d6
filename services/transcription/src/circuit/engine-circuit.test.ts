import { CodedError } from '@earshot/domain';
import { eventually } from '@earshot/testkit';
import { afterEach, expect, it } from 'vitest';
import { keptLog } from '../../test/fakes.ts';
import { EngineCircuit } from './engine-circuit.ts';
import type { Flow } from './loop-valve.ts';

const opened: EngineCircuit[] = [];
afterEach(() => {
  for (const circuit of opened.splice(0)) circuit.stop();
});

function make(retryAfterMs = 60_000, isElsewhere?: () => Promise<boolean>) {
  const flows: Flow[] = [];
  const log = keptLog();
  const circuit = new EngineCircuit({
    engine: 'e',
    retryAfterMs,
    isElsewhere,
    onFlow: (flow) => void flows.push(flow),
    log,
  });
  opened.push(circuit);
  const call = (answer: 'well' | 'unavailable' | 'engine_error') =>
    circuit
      .run(async () => {
        if (answer !== 'well') throw new CodedError(answer, `the engine: ${answer}`);
        return answer;
      })
      .catch((error: CodedError) => error.code);
  const lines = () => log.lines.map(({ message }) => message);
  return { circuit, flows, call, lines };
}

it('opens after three unavailable calls in a row, and refuses the next one without a call', async () => {
  const { circuit, flows, call, lines } = make();
  for (const answer of ['unavailable', 'unavailable', 'well', 'unavailable', 'unavailable'] as const) {
    await call(answer);
  }
  expect([circuit.state, flows]).toEqual(['closed', []]);
  await call('unavailable');
  expect([circuit.state, flows]).toEqual(['open', ['shut']]);
  expect(await call('well')).toBe('unavailable');
  expect(lines()).toEqual(['engine circuit open']);
});

it('is not opened by calls that fail in another way: a bad chunk is not a missing engine', async () => {
  const { circuit, call } = make();
  for (let count = 0; count < 5; count += 1) await call('engine_error');
  await call('unavailable');
  await call('unavailable');
  await call('engine_error');
  await call('unavailable');
  expect(circuit.state).toBe('closed');
});

it('is not opened by a store that is away while a call needs it', async () => {
  const { circuit, call } = make(60_000, async () => true);
  for (let count = 0; count < 5; count += 1) expect(await call('unavailable')).toBe('unavailable');
  expect(circuit.state).toBe('closed');
});

it('lets one job try after a while, and closes when it succeeds', async () => {
  const { circuit, flows, call, lines } = make(20);
  for (let count = 0; count < 3; count += 1) await call('unavailable');
  await eventually('a try', () => circuit.state === 'half_open');
  expect(await call('unavailable')).toBe('unavailable');
  expect(circuit.state).toBe('open');
  await eventually('another try', () => circuit.state === 'half_open');
  expect(await call('well')).toBe('well');
  expect(flows).toEqual(['shut', 'one', 'shut', 'one', 'open']);
  expect(lines()).toEqual(['engine circuit open', 'engine circuit closed']);
});

it('closes at the first sign of life of the call that tries, however long it takes', async () => {
  const { circuit, call } = make(20);
  for (let count = 0; count < 3; count += 1) await call('unavailable');
  await eventually('a try', () => circuit.state === 'half_open');
  let end = (_words: string) => {};
  const long = circuit.run((alive) => {
    alive();
    return new Promise<string>((resolve) => {
      end = resolve;
    });
  });
  await eventually('the circuit to close', () => circuit.state === 'closed');
  end('the text');
  expect(await long).toBe('the text');
});

it('opens at once when told that nothing can work, and closes only when told that it can', async () => {
  const { circuit, flows, call, lines } = make(20);
  circuit.trip(new Error('no such model'));
  circuit.trip(new Error('no such model'));
  expect(circuit.state).toBe('open');
  expect(await call('well')).toBe('unavailable');
  circuit.mend();
  circuit.mend();
  expect(await call('well')).toBe('well');
  expect(flows).toEqual(['shut', 'open']);
  expect(lines()).toEqual(['engine circuit open', 'engine circuit closed']);
});
