import type { ExplainedPolicy, Explanation, NamedRoute, Refusal } from './explanation.ts';

/** Shows an explanation as text, for a terminal. */
export function renderExplanation(told: Explanation): string {
  const { request, match, policies, refused, action, upstream, sent } = told;
  const lines = [`${request.method} ${request.target}  host ${request.host}  from ${request.client}`, ''];
  lines.push('Route', ...routeLines(match), '');
  if (policies.length > 0) lines.push('Policies', ...policies.flatMap(policyLines), '');
  if (action !== undefined)
    lines.push(`Answered by ${action.kind}${action.of === undefined ? '' : `, ${action.of}`}`);
  if (upstream !== undefined) {
    const width = Math.max(...upstream.targets.map(({ target }) => target.length));
    for (const { target, isPicked, why } of upstream.targets)
      lines.push(`  ${isPicked ? '→' : ' '} ${target.padEnd(width)}  ${why}`);
  }
  if (action !== undefined) lines.push('');
  if (sent !== undefined) {
    lines.push(`Sent on to ${sent.to}`, `  ${sent.line}`);
    lines.push(...sent.headers.map(([name, value]) => `  ${name}: ${value}`));
    if (sent.bodyBytes > 0) lines.push(`  (${sent.bodyBytes} bytes, before the edits of policies)`);
    lines.push('');
  }
  if (refused !== undefined) lines.push(refusalLine(refused), '');
  return `${lines.join('\n').trimEnd()}\n`;
}

function routeLines({ route, params, candidates, others }: Explanation['match']): string[] {
  const lines = [route === undefined ? '  ✗ none takes it' : `  ✓ ${named(route)}`];
  for (const [name, value] of Object.entries(params)) lines.push(`      {${name}} = ${value}`);
  for (const candidate of candidates) lines.push(`  ✗ ${named(candidate)}`, `      ${candidate.why}`);
  if (others > 0)
    lines.push(`    ${others} ${others === 1 ? 'other has another path' : 'others have other paths'}`);
  return lines;
}

function policyLines({ policy, from, says, facts, refuses }: ExplainedPolicy): string[] {
  const lines = [`  ${refuses === undefined ? ' ' : '✗'} ${policy}: ${says}  (${from})`];
  for (const [name, value] of Object.entries(facts ?? {})) lines.push(`      ${name} = ${value}`);
  if (refuses !== undefined) lines.push(`      ${refuses.status} ${refuses.code}`);
  return lines;
}

function named({ id, methods, path, origin }: NamedRoute): string {
  return `${id}  ${methods} ${path}  ${origin}`;
}

function refusalLine({ by, status, code, detail }: Refusal): string {
  return `Refused by ${by} with ${status} ${code}: ${detail}`;
}
