import type { OpenBrokerOptions } from '@earshot/messaging';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { readTopologyConfig } from '../config.ts';
import { CommandFailed } from '../failed.ts';
import { printJson } from '../print/output.ts';
import type { Terminal } from '../terminal.ts';
import { withExamples } from './examples.ts';

const brokerOptions = ({ env, terminal }: CommandContext): OpenBrokerOptions => ({
  config: readTopologyConfig(env),
  name: 'earshot-cli',
  log: talk(terminal),
});

/** Only trouble is worth a line. */
function talk({ stderr }: Terminal): OpenBrokerOptions['log'] {
  const silent = () => undefined;
  const say = (_fields: object, message: string) => void stderr.write(`${message}\n`);
  return { debug: silent, info: silent, warn: say, error: say };
}

/** `earshot topology`: streams and consumers, as the settings of the services want them. */
export function addTopology(program: Command, context: CommandContext): void {
  const { terminal } = context;
  const topology = withExamples(
    program.command('topology').description('the streams and consumers in NATS'),
    'NATS_URL=nats://127.0.0.1:4222 earshot topology diff',
  );
  withExamples(
    topology
      .command('diff')
      .description('print what differs from the settings; exit code 1 when anything does')
      .option('--json', 'as JSON'),
    'NATS_URL=nats://127.0.0.1:4222 earshot topology diff',
  ).action(async ({ json }: { json?: true }) => {
    const { topologyDrift } = await import('@earshot/messaging');
    const drift = await topologyDrift(brokerOptions(context));
    if (json) printJson(terminal, drift);
    else for (const line of drift) terminal.stdout.write(`${line}\n`);
    if (drift.length > 0)
      throw new CommandFailed(`${drift.length} difference(s): earshot topology apply mends them`);
    terminal.stderr.write('nothing differs\n');
  });
  withExamples(
    topology
      .command('apply')
      .description('create what is missing and change what differs; caps and pauses stay'),
    'NATS_URL=nats://127.0.0.1:4222 earshot topology apply',
  ).action(async () => {
    const { openBroker, topologyDrift } = await import('@earshot/messaging');
    const options = brokerOptions(context);
    const drift = await topologyDrift(options);
    const broker = await openBroker({ ...options, topology: 'apply' });
    await broker.drain();
    for (const line of drift) terminal.stdout.write(`mended: ${line}\n`);
    if (drift.length === 0) terminal.stderr.write('nothing differed\n');
  });
}
