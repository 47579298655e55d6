import {
  DockerfileParser,
  type From,
  type Instruction,
  JSONInstruction,
  ModifiableInstruction,
  PropertyInstruction,
} from 'dockerfile-ast';

/** One instruction of a Dockerfile; variables stand as they are written. */
export interface Step {
  readonly keyword: string;
  /** Its options: `--from=build` is `from`. */
  readonly flags: Readonly<Record<string, string>>;
  /** Its arguments; those of the list form without quotes. */
  readonly words: readonly string[];
  /** True for the list form, which no shell reads. */
  readonly list: boolean;
  /** Names and values of ARG and ENV. */
  readonly properties: Readonly<Record<string, string | undefined>>;
  /** Everything after the keyword, as it is written. */
  readonly text: string;
}

/** FROM to the next FROM. */
export interface Stage {
  readonly name: string | undefined;
  readonly from: string;
  readonly steps: readonly Step[];
}

/** What a Dockerfile says: the arguments before its first stage, with their defaults, and its stages. */
export interface ReadDockerfile {
  readonly args: Readonly<Record<string, string | undefined>>;
  readonly stages: readonly Stage[];
}

export function readDockerfile(text: string): ReadDockerfile {
  const dockerfile = DockerfileParser.parse(text);
  const args = Object.assign({}, ...dockerfile.getInitialARGs().map((arg) => propertiesOf(arg)));
  const stages: { name: string | undefined; from: string; steps: Step[] }[] = [];
  for (const instruction of dockerfile.getInstructions()) {
    if (instruction.getKeyword() === 'FROM') {
      const from = instruction as From;
      stages.push({ name: from.getBuildStage() ?? undefined, from: from.getImage() ?? '', steps: [] });
    } else stages.at(-1)?.steps.push(stepOf(instruction));
  }
  return { args, stages };
}

function stepOf(instruction: Instruction): Step {
  const words =
    instruction instanceof JSONInstruction
      ? instruction.getJSONStrings().map((one) => one.getJSONValue())
      : [];
  const flags = instruction instanceof ModifiableInstruction ? instruction.getFlags() : [];
  return {
    keyword: instruction.getKeyword(),
    flags: Object.fromEntries(flags.map((flag) => [flag.getName(), flag.getValue() ?? ''])),
    words: words.length > 0 ? words : instruction.getArguments().map((argument) => argument.getValue()),
    list: words.length > 0,
    properties: propertiesOf(instruction),
    text: instruction.getRawArgumentsContent() ?? '',
  };
}

const propertiesOf = (instruction: Instruction): Record<string, string | undefined> =>
  instruction instanceof PropertyInstruction
    ? Object.fromEntries(
        instruction.getProperties().map((one) => [one.getName(), one.getValue() ?? undefined]),
      )
    : {};
