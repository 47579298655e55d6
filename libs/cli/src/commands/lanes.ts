import { DURABLES, type EngineCap, isName, LANES, type Lane, type LaneState } from '@earshot/contracts';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.ts';
import { age } from '../print/age.ts';
import { printJson, printTable } from '../print/output.ts';
import type { Column } from '../print/table.ts';
import { withExamples } from './examples.ts';
import { parseWhole } from './parse-whole.ts';

const COLUMNS: readonly Column<LaneState>[] = [
  { title: 'ENGINE', of: ({ engine }) => engine ?? 'split' },
  { title: 'LANE', of: ({ lane }) => lane },
  { title: 'WAITING', of: ({ waiting }) => waiting, align: 'right' },
  { title: 'IN WORK', of: ({ in_flight }) => in_flight, align: 'right' },
  { title: 'CAP', of: ({ max_ack_pending }) => max_ack_pending, align: 'right' },
  { title: 'STATE', of: ({ paused }) => (paused ? 'paused' : 'open') },
];

const isLane = (text: string): text is Lane => (LANES as readonly string[]).includes(text);

/** The durable consumers that `<engine|split> [lane]` names. */
function durablesOf(command: Command, engine: string, lane: string | undefined): string[] {
  if (!isName(engine)) command.error(`error: ${engine} is not the name of an engine`);
  if (lane !== undefined && !isLane(lane)) {
    command.error(`error: a lane is one of ${LANES.join(', ')}, not ${lane}`);
  }
  const lanes = lane === undefined ? LANES : [lane as Lane];
  return lanes.map((one) => (engine === 'split' ? DURABLES.split(one) : DURABLES.chunk(engine, one)));
}

/** What quota errors left of an engine's cap, if they did. */
function loweredText({ engine, max_ack_pending, effective, lowered_at, paused_until }: EngineCap): string {
  if (lowered_at === null) return '';
  const paused = paused_until === null ? '' : `, paused for ${age(paused_until)} more`;
  return `${engine}: ${effective} of ${max_ack_pending} after quota errors ${age(lowered_at)} ago${paused}\n`;
}

/** `earshot lanes`: what waits, how much may be in work, and pauses. */
export function addLanes(program: Command, context: CommandContext): void {
  const lanes = withExamples(
    program.command('lanes').description('the queues, and how much of each may be in work'),
    'earshot lanes list',
    'earshot lanes pause sherpa low',
    'earshot lanes cap sherpa 8',
  );
  addList(lanes, context);
  addPause(lanes, context, 'pause', 'hand out no more jobs; those in work go on');
  addPause(lanes, context, 'resume', 'hand out jobs again');
  addCap(lanes, context);
}

function addList(lanes: Command, { client, terminal }: CommandContext): void {
  withExamples(
    lanes.command('list').description('show every lane').option('--json', 'as JSON'),
    'earshot lanes list',
    'earshot lanes list --json',
  ).action(async ({ json }: { json?: true }) => {
    const document = await client().lanes.list();
    if (json) return printJson(terminal, document);
    printTable(terminal, COLUMNS, document.lanes, 'there are no lanes; is the topology applied?');
    for (const engine of document.engines) terminal.stdout.write(loweredText(engine));
  });
}

function addPause(
  lanes: Command,
  { client, terminal }: CommandContext,
  action: 'pause' | 'resume',
  description: string,
): void {
  const command = lanes
    .command(`${action} <engine> [lane]`)
    .description(`${description} (engine "split": the lanes of cutting; without a lane: all three)`);
  withExamples(command, `earshot lanes ${action} sherpa low`, `earshot lanes ${action} sherpa`).action(
    async (engine: string, lane: string | undefined) => {
      const api = client();
      for (const durable of durablesOf(command, engine, lane)) {
        const { paused } = await api.lanes.change(durable, { paused: action === 'pause' });
        terminal.stdout.write(`${durable} ${paused ? 'paused' : 'open'}\n`);
      }
    },
  );
}

function addCap(lanes: Command, { client, terminal }: CommandContext): void {
  const command = lanes
    .command('cap <engine> <lane-or-cap> [cap]')
    .description(
      'set how many jobs may be in work at once: of an engine (at least 3, shared), or of one lane',
    );
  withExamples(command, 'earshot lanes cap sherpa 8', 'earshot lanes cap sherpa low 2').action(
    async (engine: string, laneOrCap: string, cap: string | undefined) => {
      if (cap === undefined) {
        if (engine === 'split') command.error('error: name a lane: earshot lanes cap split low 10');
        const max_ack_pending = parseWhole(command, 'a cap', laneOrCap);
        const changed = await client().engines.change(engine, { max_ack_pending });
        terminal.stdout.write(`${engine} ${changed.max_ack_pending}\n${loweredText(changed)}`);
        return;
      }
      const [durable = ''] = durablesOf(command, engine, laneOrCap);
      const changed = await client().lanes.change(durable, {
        max_ack_pending: parseWhole(command, 'a cap', cap),
      });
      terminal.stdout.write(`${durable} ${changed.max_ack_pending}\n`);
    },
  );
}
