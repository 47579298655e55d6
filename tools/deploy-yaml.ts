/** What a deploy file holds: every scalar is text. */
export type Yaml = string | null | Yaml[] | { [key: string]: Yaml };

interface Line {
  readonly number: number;
  readonly indent: number;
  readonly text: string;
}

const KEY = /^([\w./-]+):(?:\s+(.*))?$/;

function linesOf(source: string): Line[] {
  return source
    .split('\n')
    .map((raw, index) => ({ number: index + 1, indent: raw.search(/\S/), text: raw.trim() }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'));
}

function scalar(text: string, line: Line): Yaml {
  try {
    if (/^["[{]/.test(text)) return JSON.parse(text) as Yaml;
  } catch {
    throw new Error(`line ${line.number}: quoted and inline values must be JSON: ${text}`);
  }
  if (/^[&*!|>'%@`]|\s#|:\s/.test(text)) throw new Error(`line ${line.number}: quote this value: ${text}`);
  return text;
}

/** The value that stands behind `text`, or on the deeper lines that follow when there is none. */
function behind(text: string | undefined, line: Line, rest: Line[]): Yaml {
  if (text) return scalar(text, line);
  const next = rest[0];
  return next && next.indent > line.indent ? block(rest, next.indent) : null;
}

function list(lines: Line[], indent: number): Yaml[] {
  const items: Yaml[] = [];
  for (let line = lines[0]; line?.indent === indent && line.text.startsWith('- '); line = lines[0]) {
    lines.shift();
    const text = line.text.slice(2).trim();
    if (KEY.test(text) && !/^["[{]/.test(text)) {
      lines.unshift({ ...line, indent: indent + 2, text });
      items.push(block(lines, indent + 2));
    } else items.push(scalar(text, line));
  }
  return items;
}

function block(lines: Line[], indent: number): Yaml {
  if (lines[0]?.text.startsWith('- ')) return list(lines, indent);
  const map: { [key: string]: Yaml } = {};
  for (let line = lines[0]; line?.indent === indent; line = lines[0]) {
    const [, key, text] = KEY.exec(line.text) ?? [];
    if (key === undefined) throw new Error(`line ${line.number}: not a key: ${line.text}`);
    if (key in map) throw new Error(`line ${line.number}: ${key} twice`);
    lines.shift();
    map[key] = behind(text, line, lines);
  }
  if (lines[0] && lines[0].indent > indent) throw new Error(`line ${lines[0].number}: indented too far`);
  return map;
}

/**
 * Reads the plain part of YAML that our deploy files keep to: block maps and lists, JSON in one line, no anchors, no
 * folded text. Everything else throws, so the files stay easy to read. Returns one value per document.
 */
export function readYaml(source: string): Yaml[] {
  return source.split(/^---$/m).map((document) => {
    const lines = linesOf(document);
    const value = block(lines, 0);
    if (lines[0]) throw new Error(`line ${lines[0].number}: not understood: ${lines[0].text}`);
    return value;
  });
}
