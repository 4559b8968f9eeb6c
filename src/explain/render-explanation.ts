import { styleText } from 'node:util';
import type {
  ExplainedPolicy,
  ExplainedRequest,
  Explanation,
  NamedRoute,
  Refusal,
  SentOn,
} from './explanation.ts';

type Style = Parameters<typeof styleText>[0];
type Paint = (style: Style, text: string) => string;

const STYLE_OF: Readonly<Record<ExplainedPolicy['does'], Style>> = {
  passes: 'green',
  changes: 'cyan',
  answers: 'cyan',
  depends: 'yellow',
  refuses: 'red',
  off: 'dim',
};
const NOT_MET = 'not met';
const VERDICT_WIDTH = 8;

/** Shows an explanation as text, for a terminal. @param options.color ANSI colors; default no. */
export function renderExplanation(told: Explanation, options: { readonly color?: boolean } = {}): string {
  const paint: Paint =
    options.color === true
      ? (style, text) => styleText(style, text, { validateStream: false })
      : (_, text) => text;
  const { request, entrance, match, policies, requests, untold, side } = told;
  const { method, target, host, client, caller } = request;
  const who = caller === undefined ? '' : `  as ${caller}`;
  const lines = [
    paint('bold', `${method} ${target}`) + paint('dim', `  host ${host}  from ${client}${who}`),
    verdictOf(told, paint),
    '',
    ...entranceLines(entrance, paint),
    paint('bold', 'Route'),
    ...routeLines(match, paint),
    '',
  ];
  if (policies.length > 0)
    lines.push(paint('bold', 'Policies'), ...policies.flatMap(policyLines(policies, paint)), '');
  if (side !== undefined) lines.push(paint('bold', `Canary: the ${side.name} side`), `  ${side.why}`, '');
  if (untold !== undefined) lines.push(paint('bold', 'Cannot be told'), `  ${untold}`, '');
  for (const one of requests) lines.push(...requestLines(one, paint), '');
  return `${lines.join('\n').trimEnd()}\n`;
}

/** What comes of it, in one line. */
function verdictOf({ match, refused, answered, requests, action, side }: Explanation, paint: Paint): string {
  if (refused !== undefined) return `${paint('red', '✗')} ${refusalText(refused)}`;
  if (answered !== undefined) return `${paint('cyan', '→')} answered by ${answered.by}: ${answered.what}`;
  const [first] = requests.filter(({ name }) => name !== 'mirror');
  const calls = requests.filter(({ name }) => name !== undefined && name !== 'mirror');
  const to = first?.upstream?.targets.find(({ isPicked }) => isPicked)?.target;
  const at = to === undefined ? '' : ` at ${to}`;
  const of = action?.of ?? match.route?.origin ?? '';
  const where = calls.length === 0 ? ` to ${first?.upstream?.name ?? of}${at}` : ` ${of}`;
  const which = side === undefined ? '' : `, the ${side.name} side`;
  return `${paint('green', '→')} ${action?.kind ?? ''}${where}${which}`;
}

function refusalText({ by, status, code, detail }: Refusal): string {
  return `${status} ${code}, by ${by}: ${detail}`;
}

function entranceLines(steps: Explanation['entrance'], paint: Paint): string[] {
  if (steps.length === 0) return [];
  const width = Math.max(...steps.map(({ step }) => step.length));
  const lines = steps.map(({ step, does, why, refuses }) => {
    const more = refuses === undefined ? (why ?? '') : `${refuses.status} ${refuses.code}`;
    return `  ${paint(STYLE_OF[does], does.padEnd(VERDICT_WIDTH))} ${step.padEnd(width)}  ${more}`.trimEnd();
  });
  return [paint('bold', 'Before a route is looked for'), ...lines, ''];
}

function routeLines({ route, params, candidates, others }: Explanation['match'], paint: Paint): string[] {
  const named = ({ id, methods, path, origin, team }: NamedRoute): string =>
    `${id}  ${methods} ${path}  ${paint('dim', team === undefined ? origin : `${origin} (team ${team})`)}`;
  const none = `  ${paint('red', '✗')} none takes it`;
  const lines = [route === undefined ? none : `  ${paint('green', '✓')} ${named(route)}`];
  for (const [name, value] of Object.entries(params)) lines.push(`      {${name}} = ${value}`);
  for (const one of candidates) lines.push(`  ${paint('dim', '✗')} ${named(one)}`, `      ${one.why}`);
  if (others > 0) {
    const have = others === 1 ? 'other has another path' : 'others have other paths';
    lines.push(paint('dim', `    ${others} ${have}`));
  }
  return lines;
}

function policyLines(
  all: readonly ExplainedPolicy[],
  paint: Paint,
): (policy: ExplainedPolicy) => readonly string[] {
  const width = Math.max(...all.map(({ policy }) => policy.length));
  return ({ policy, from, says, does, why, isMet, facts, refuses }) => {
    const verdict = isMet || does === 'off' ? does : NOT_MET;
    const style = isMet ? STYLE_OF[does] : 'dim';
    const shown = `${policy.padEnd(width)}  ${does === 'off' ? '' : says}  ${paint('dim', `(${from})`)}`;
    const lines = [`  ${paint(style, verdict.padEnd(VERDICT_WIDTH))} ${shown}`];
    const indent = ' '.repeat(VERDICT_WIDTH + 3);
    if (why !== undefined) lines.push(`${indent}${why}`);
    for (const [name, value] of Object.entries(facts ?? {})) lines.push(`${indent}${name} = ${value}`);
    if (refuses !== undefined) lines.push(`${indent}${refuses.status} ${refuses.code}`);
    for (const error of refuses?.errors ?? []) lines.push(`${indent}${error}`);
    return lines;
  };
}

function requestLines(request: ExplainedRequest, paint: Paint): string[] {
  const { note, upstream, sent } = request;
  const load = upstream?.load === undefined ? '' : `, ${upstream.load}`;
  const to = upstream === undefined ? '' : ` to ${upstream.name}, balanced by ${upstream.balancing}${load}`;
  const lines = [paint('bold', titleOf(request) + to)];
  if (note !== undefined) lines.push(`  ${note}`);
  const targets = upstream?.targets ?? [];
  const width = Math.max(0, ...targets.map(({ target }) => target.length));
  for (const { target, isPicked, why } of targets) {
    const arrow = isPicked ? paint('green', '→') : ' ';
    lines.push(`  ${arrow} ${target.padEnd(width)}  ${paint('dim', why)}`);
  }
  return sent === undefined ? lines : [...lines, '', ...sentLines(sent, paint)];
}

function sentLines({ line, headers, body }: SentOn, paint: Paint): string[] {
  const lines = [
    `    ${line}`,
    ...headers.map(([name, value]) => `    ${paint('dim', `${name}:`)} ${value}`),
  ];
  if (body === undefined) return lines;
  const as = body.as === undefined ? 'as it came' : body.as;
  return [
    ...lines,
    '',
    ...(body.json === undefined ? [] : [`    ${body.json}`]),
    `    (${body.bytes} bytes, ${as})`,
  ];
}

function titleOf({ name, upstream }: ExplainedRequest): string {
  if (name === undefined) return 'Request';
  // The name of a call is somebody's word, the others are ours.
  return name === 'mirror' || upstream === undefined
    ? name[0]?.toUpperCase() + name.slice(1)
    : `Call ${name}`;
}
